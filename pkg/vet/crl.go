package vet

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"
)

// MaxCRL is the largest file that ReadCRLs looks at, in bytes: the largest lists of
// public CAs are near 30 MB.
const MaxCRL = 64 << 20

// CRL is a certificate revocation list, read and not yet believed: its signature is
// checked when a certificate of its issuer is judged.
type CRL struct {
	File string

	list    *x509.RevocationList
	scope   scope
	odd     string         // why it is not taken for anybody; "" if it may be
	entries map[string]int // by serial number
}

// DER is the list as it was read.
func (c *CRL) DER() []byte { return c.list.Raw }

// ReadCRLs reads a file of revocation lists, PEM (any number) or DER. Errors wrap ErrEvidence.
func ReadCRLs(name string, data []byte) ([]*CRL, error) {
	if len(data) > MaxCRL {
		return nil, fmt.Errorf("%s: %w: it has %d bytes, at most %d are read", name, ErrEvidence, len(data), MaxCRL)
	}
	var all []*CRL
	add := func(der []byte) error {
		l, err := x509.ParseRevocationList(der)
		if err == nil && len(l.Raw) != len(der) {
			err = errors.New("there is something behind it")
		}
		if err != nil {
			return fmt.Errorf("%s: %w: revocation list: %w", name, ErrEvidence, err)
		}
		all = append(all, newCRL(name, l))
		return nil
	}
	if len(data) > 0 && data[0] == 0x30 {
		err := add(data)
		return all, err // of which one is nil
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "X509 CRL" && block.Type != "CRL" {
			continue
		}
		if err := add(block.Bytes); err != nil {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: %w: it holds no revocation list", name, ErrEvidence)
	}
	return all, nil
}

func newCRL(name string, l *x509.RevocationList) *CRL {
	c := &CRL{File: name, list: l, entries: make(map[string]int, len(l.RevokedCertificateEntries))}
	for _, ext := range l.Extensions {
		switch id := ext.Id.String(); {
		case id == oidDeltaCRL:
			c.odd = "it is a delta list, which says nothing by itself"
		case id == oidIssuingPoint:
			var ok bool
			if c.scope, ok = readScope(ext.Value); !ok {
				c.odd = "its issuingDistributionPoint cannot be read"
			} else if why := c.scope.refused(); why != "" {
				c.odd = why
			}
		case ext.Critical && id != oidIssuerKey && id != oidCRLNumber:
			c.odd = "it has the critical extension " + id + ", which is not known here"
		}
	}
	for i, e := range l.RevokedCertificateEntries {
		if e.SerialNumber.Sign() >= 0 { // crypto/x509 reads no certificate with a negative one
			c.entries[string(e.SerialNumber.Bytes())] = i
		}
		for _, ext := range e.Extensions {
			if id := ext.Id.String(); id == oidEntryIssuer || ext.Critical && id != oidReasonCode && id != oidInvalidityDate {
				c.odd = "it has entries with the extension " + id + ", as indirect lists do"
			}
		}
	}
	return c
}

// standing is what one list or response says of one certificate.
type standing int

const (
	silent  standing = iota // it is about something else
	useless                 // about it, but not to be taken
	stale                   // about it, and out of date
	good
	revoked
	forged
)

// word is a standing with its reason.
type word struct {
	standing
	msg string
}

// says is what the list says of a certificate with this issuer at that time.
func (c *CRL) says(subject, issuer *x509.Certificate, at time.Time) word {
	l := c.list
	if !bytes.Equal(l.RawIssuer, issuer.RawSubject) || len(l.AuthorityKeyId) > 0 && len(issuer.SubjectKeyId) > 0 && !bytes.Equal(l.AuthorityKeyId, issuer.SubjectKeyId) {
		return word{}
	}
	about := "the revocation list " + c.File
	if c.odd != "" {
		return word{useless, about + " is not taken: " + c.odd}
	}
	if why := c.scope.leavesOut(subject); why != "" {
		return word{useless, about + " is not taken: " + why}
	}
	var may x509.ConstraintViolationError
	switch err := l.CheckSignatureFrom(issuer); {
	case errors.As(err, &may), errors.Is(err, x509.ErrUnsupportedAlgorithm), isInsecure(err):
		return word{useless, fmt.Sprintf("%s is not taken: %v", about, err)}
	case err != nil:
		return word{forged, fmt.Sprintf("the signature of %s is not that of %s", about, quote(issuer.Subject.String()))}
	}
	if l.ThisUpdate.After(at) {
		return word{useless, fmt.Sprintf("%s is of %s, after the time judged at", about, moment(l.ThisUpdate))}
	}
	if i, ok := c.entries[string(subject.SerialNumber.Bytes())]; ok {
		e := l.RevokedCertificateEntries[i]
		return word{revoked, fmt.Sprintf("revoked on %s (%s), says %s of %s", moment(e.RevocationTime), reasonName(e.ReasonCode), about, moment(l.ThisUpdate))}
	}
	return fresh(about, l.ThisUpdate, l.NextUpdate, at)
}

// fresh is good, or why that is not known any more.
func fresh(about string, thisUpdate, nextUpdate, at time.Time) word {
	switch {
	case nextUpdate.IsZero():
		return word{useless, about + " does not say until when it holds (nextUpdate)"}
	case at.After(nextUpdate):
		return word{stale, fmt.Sprintf("%s is stale: it is of %s and held until %s", about, moment(thisUpdate), moment(nextUpdate))}
	}
	return word{standing: good}
}

func isInsecure(err error) bool {
	var insecure x509.InsecureAlgorithmError
	return errors.As(err, &insecure)
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// reasonName is a CRLReason of RFC 5280 5.3.1.
func reasonName(code int) string {
	names := []string{"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
		"certificateHold", "", "removeFromCRL", "privilegeWithdrawn", "aACompromise"}
	if code < 0 || code >= len(names) || names[code] == "" {
		return fmt.Sprintf("reason %d", code)
	}
	return names[code]
}

// anyURI reports whether two lists of names have one in common.
func anyURI(a, b []string) bool {
	return slices.ContainsFunc(a, func(u string) bool { return slices.Contains(b, u) })
}
