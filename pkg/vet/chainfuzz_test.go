package vet

import (
	"bytes"
	"slices"
	"testing"

	"golang.org/x/crypto/ocsp"
)

// Whatever is read as a list or a response can be asked about a certificate.
func FuzzReadCRLs(f *testing.F) {
	t := f
	root, inter, _ := authorities(t)
	leaf := inter.issue(nil)
	der := inter.listDER(idp(pointAt(listURI), tlv(0x81, yes)), 77)
	signed := readLists(f, der)[0]
	f.Add(der)
	f.Add(toPEM("X509 CRL", der, root.listDER(nil)))
	f.Fuzz(func(t *testing.T, data []byte) {
		lists, err := ReadCRLs("f", data)
		if (err == nil) != (len(lists) > 0) {
			t.Fatalf("%d lists, %v", len(lists), err)
		}
		for _, l := range lists {
			// Only these bytes were ever signed.
			if w := l.says(leaf, inter.cert, judged); (w.standing == good || w.standing == revoked) && !bytes.Equal(l.list.RawTBSRevocationList, signed.list.RawTBSRevocationList) {
				t.Errorf("believed, but the issuer did not sign it: %+v", w)
			}
		}
	})
}

func FuzzReadOCSP(f *testing.F) {
	t := f
	_, inter, _ := authorities(t)
	leaf := inter.issue(nil)
	var signed [][]byte
	for _, o := range []*OCSP{
		inter.answer(leaf, ocsp.Good, nil, nil, nil), inter.answer(leaf, ocsp.Revoked, nil, nil, nil), inter.answer(leaf, ocsp.Good, nil, inter.cert, inter.key),
	} {
		r, err := ocsp.ParseResponse(o.der, nil)
		if err != nil {
			f.Fatal(err)
		}
		signed = append(signed, r.TBSResponseData)
		f.Add(o.der)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := ReadOCSP("f", data)
		if err != nil {
			return
		}
		if len(o.ids) == 0 {
			t.Fatal("a response about nothing was read")
		}
		w := o.says(leaf, inter.cert, judged)
		if (w.standing == good || w.standing == revoked) && !slices.ContainsFunc(signed, func(tbs []byte) bool { return bytes.Contains(data, tbs) }) {
			t.Errorf("believed, but the issuer did not sign it: %+v", w)
		}
	})
}
