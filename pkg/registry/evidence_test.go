package registry_test

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/vet"
)

// someEvidence is a CA, as the root and between, and a list of it by that name.
func someEvidence(t *testing.T, list string) *vet.Evidence {
	t.Helper()
	key := ceremonytest.ECKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, NotBefore: start, NotAfter: start.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	crl, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: start, NextUpdate: start.AddDate(0, 1, 0)}, ca, key)
	if err != nil {
		t.Fatal(err)
	}
	ev := &vet.Evidence{}
	if ev.Roots, err = vet.ReadRoots("roots.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})); err != nil {
		t.Fatal(err)
	}
	if ev.CRLs, err = vet.ReadCRLs(list, crl); err != nil {
		t.Fatal(err)
	}
	known, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	ev.Add(known)
	return ev
}

func TestEvidence(t *testing.T) {
	f := ceremonytest.New(t)
	c := ceremonytest.Certificate(t, ceremonytest.Spec{Country: "DE", Role: vet.NBTLS})
	f.SubmitCertificate("DE", vet.NBTLS, c)
	sha := c.Thumbprint().String()
	load := func() *vet.Evidence {
		t.Helper()
		f.Reopen()
		ev, err := f.Evidence(sha)
		if err != nil {
			t.Fatal(err)
		}
		return ev
	}
	set := func(ev *vet.Evidence) {
		t.Helper()
		if err := f.SetEvidence(f.LastEvent(), "me", "DE", []string{sha}, ev); err != nil {
			t.Fatal(err)
		}
	}
	if ev := load(); ev != nil {
		t.Fatalf("evidence from nowhere: %+v", ev)
	}
	first := someEvidence(t, "first.crl")
	set(first)
	head := f.Head()
	set(first)
	if f.Head() != head {
		t.Error("the same evidence is an event again")
	}
	if ev := load(); ev.Roots.Name != "roots.pem" || ev.Roots.Len() != 1 || len(ev.CRLs) != 1 || ev.CRLs[0].File != "first.crl" || len(ev.Intermediates()) != 1 {
		t.Errorf("%+v", ev)
	}
	// The roots stay until others come; lists and intermediates add up.
	second := someEvidence(t, "second.crl")
	second.Roots = nil
	set(second)
	if ev := load(); ev.Roots == nil || len(ev.CRLs) != 2 || ev.CRLs[1].File != "second.crl" || len(ev.Intermediates()) != 2 {
		t.Errorf("%+v", ev)
	}
	mozilla, err := vet.MozillaRoots()
	if err != nil {
		t.Fatal(err)
	}
	set(&vet.Evidence{Roots: mozilla})
	if ev := load(); !ev.Roots.Embedded() || len(ev.CRLs) != 2 {
		t.Errorf("%+v", ev)
	}
	if err := f.SetEvidence(f.LastEvent(), "me", "XX", []string{sha}, first); err == nil {
		t.Error("evidence for nobody's certificate was recorded")
	}
	// Objects are part of the workspace: one that is gone or changed is damage.
	objects, err := filepath.Glob(filepath.Join(f.ObjectsDir(), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if err := os.WriteFile(o, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Evidence(sha); !errors.Is(err, registry.ErrDamaged) {
		t.Errorf("changed objects: %v", err)
	}
}
