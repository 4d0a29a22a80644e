package vet

import (
	"bytes"
	"errors"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// selfSignature is EFGS-603. A certificate whose issuer is not given has a signature that nobody looked at,
// and it says so. It is self-signed by its names, by its key identifiers, or because its own key made the signature.
func selfSignature(x *exam) outcome {
	if x.c.PublicKey == nil || len(x.c.Issuer.Raw) == 0 {
		return unknown("the public key or the issuer cannot be read, so the signature cannot be checked")
	}
	if err := x.c.Algorithm.CheckForm(x.c.Signature); err != nil {
		return fail("nobody can have made the signature: %v", err)
	}
	if x.c.SelfIssued() {
		return x.ownSignature()
	}
	if o, given := x.issuerSignature(); given {
		return o
	}
	if x.namesOwnKey() || x.c.CheckSelfSignature() == nil {
		return x.ownSignature()
	}
	o := unasked("signed by %s, whose certificate is not given (beside it in the file, --with, --roots), so its signature was not checked", quote(x.c.Issuer.String()))
	o.optional = true
	return o
}

func (x *exam) ownSignature() outcome {
	err := x.c.CheckSelfSignature()
	switch {
	case err == nil:
		return pass()
	case errors.Is(err, sigalg.ErrUnsupported):
		return unknown("the signature cannot be checked: %v", err)
	}
	return fail("the signature does not verify with the certificate's own key")
}

// namesOwnKey reports whether the authority key identifier is that of the certificate's own key.
func (x *exam) namesOwnKey() bool {
	return len(x.c.AuthorityKeyID) > 0 && bytes.Equal(x.c.AuthorityKeyID, x.c.SubjectKeyID)
}

// issuerSignature tries the certificates that may be the issuer's; given is false if there are none.
func (x *exam) issuerSignature() (o outcome, given bool) {
	tried := 0
	var unsupported error
	for _, candidate := range x.issuers() {
		if tried++; tried > maxTried {
			return unknown("more than %d certificates of the issuer %s are given; not all were tried", maxTried, quote(x.c.Issuer.String())), true
		}
		err := x.c.CheckSignedBy(candidate)
		switch {
		case err == nil:
			return pass(), true
		case errors.Is(err, sigalg.ErrUnsupported):
			unsupported = err
		}
	}
	switch {
	case tried == 0:
		return outcome{}, false
	case unsupported != nil:
		return unknown("the signature cannot be checked: %v", unsupported), true
	}
	return fail("the signature is not that of %s, whose certificate is given", quote(x.c.Issuer.String())), true
}

// issuers are the certificates of CAs, of all that were given, with the issuer's name and no other key identifier
// than the one that the certificate names.
func (x *exam) issuers() []*cert.Certificate {
	var found []*cert.Certificate
	add := func(c *cert.Certificate) {
		otherKey := len(x.c.AuthorityKeyID) > 0 && len(c.SubjectKeyID) > 0 && !bytes.Equal(x.c.AuthorityKeyID, c.SubjectKeyID)
		if mayIssue(c) && !otherKey && c.Subject.Equal(x.c.Issuer) {
			found = append(found, c)
		}
	}
	for _, c := range x.Issuers {
		add(c)
	}
	if x.Evidence != nil {
		for _, authority := range x.Evidence.authorities() {
			if c, err := cert.Parse(authority.Raw); err == nil {
				add(c)
			}
		}
	}
	return found
}

// mayIssue: a CA by basicConstraints, or of a version that has none.
func mayIssue(c *cert.Certificate) bool {
	return c != nil && (c.BasicConstraints != nil && c.BasicConstraints.CA || c.Version == 1 || c.Version == 2)
}

// issuersOf are the certificates of a file that may have issued its others.
func issuersOf(in *cert.Input) []*cert.Certificate {
	if len(in.Items) < 2 {
		return nil
	}
	var found []*cert.Certificate
	for _, item := range in.Items {
		if mayIssue(item.Cert) {
			found = append(found, item.Cert)
		}
	}
	return found
}
