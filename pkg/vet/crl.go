package vet

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
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

// ErrNoList marks a file in which nothing looks like a revocation list.
var ErrNoList = fmt.Errorf("%w: it holds no revocation list", ErrEvidence)

// ReadCRLs reads a file of revocation lists, PEM (any number) or DER. Whatever looks like
// a list must be readable: one that is passed over may be the one that says "revoked".
// Errors wrap ErrEvidence, and ErrNoList if there is nothing that looks like one.
func ReadCRLs(name string, data []byte) ([]*CRL, error) {
	if len(data) > MaxCRL {
		return nil, fmt.Errorf("%s: %w: it has %d bytes, at most %d are read", name, ErrEvidence, len(data), MaxCRL)
	}
	blocks, stray := cert.Blocks(data)
	if len(blocks) == 0 && len(data) > 0 && data[0] == 0x30 {
		blocks = []cert.Block{{DER: data}}
	}
	var all []*CRL
	for _, b := range blocks {
		labelled := strings.Contains(b.Label, "CRL")
		if !labelled && !cert.LooksLikeCRL(b.DER) {
			continue
		}
		l, err := readList(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w: revocation list: %w", inFile(name, b.Line), ErrEvidence, err)
		}
		all = append(all, newCRL(name, l))
	}
	switch {
	case len(stray) > 0 && (len(all) > 0 || bytes.Contains(data, []byte("X509 CRL"))):
		return nil, fmt.Errorf("%s: %w: there is %s", inFile(name, stray[0].Line), ErrEvidence, stray[0].Why)
	case len(all) == 0:
		return nil, fmt.Errorf("%s: %w", name, ErrNoList)
	}
	return all, nil
}

func readList(b cert.Block) (*x509.RevocationList, error) {
	if b.Err != nil {
		return nil, b.Err
	}
	l, err := x509.ParseRevocationList(b.DER)
	if err == nil && len(l.Raw) != len(b.DER) {
		err = errors.New("there is something behind it")
	}
	return l, err
}

// inFile is a file, with the line if it has lines.
func inFile(name string, line int) string {
	if line == 0 {
		return name
	}
	return fmt.Sprintf("%s: line %d", name, line)
}

func newCRL(name string, l *x509.RevocationList) *CRL {
	c := &CRL{File: name, list: l, entries: make(map[string]int, len(l.RevokedCertificateEntries))}
	delta := false
	for _, ext := range l.Extensions {
		switch id := ext.Id.String(); {
		case id == oidDeltaCRL:
			delta = true
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
		// crypto/x509 reads no certificate with a negative number. A delta list takes
		// certificates off as well: only a complete list can say that it did.
		if e.SerialNumber.Sign() >= 0 && !(delta && e.ReasonCode == reasonRemove) {
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

// NotTaken says why a list is taken only for what it names as revoked, "" if it is taken
// in full.
func (c *CRL) NotTaken() string { return c.odd }

// standing is what one list or response says of one certificate.
type standing int

const (
	silent   standing = iota // it is about something else
	useless                  // about it, but not to be taken
	doubtful                 // of its issuer, and nobody knows what it says
	stale                    // about it, and out of date
	good
	revoked
	forged
)

// word is a standing with its reason.
type word struct {
	standing
	msg   string
	of    time.Time // thisUpdate, of what is good or doubtful
	named bool      // doubtful, and it has the serial number
}

// says is what the list says of a certificate with this issuer at that time. A serial
// number that the issuer itself put on a list is revoked, whatever the list is for.
func (c *CRL) says(subject, issuer *x509.Certificate, at time.Time) word {
	l := c.list
	if !bytes.Equal(l.RawIssuer, issuer.RawSubject) {
		return word{}
	}
	signed := l.CheckSignatureFrom(issuer)
	if signed != nil && len(l.AuthorityKeyId) > 0 && len(issuer.SubjectKeyId) > 0 && !bytes.Equal(l.AuthorityKeyId, issuer.SubjectKeyId) {
		return word{} // of another key of that name
	}
	about := "the revocation list " + c.File
	i, named := c.entries[string(subject.SerialNumber.Bytes())]
	doubt := func(why string) word {
		if named {
			why += ", but it has the serial number of this certificate"
		}
		return word{doubtful, about + " of " + moment(l.ThisUpdate) + " is not taken: " + why, l.ThisUpdate, named}
	}
	var may x509.ConstraintViolationError
	switch {
	case errors.As(signed, &may), errors.Is(signed, x509.ErrUnsupportedAlgorithm), isInsecure(signed):
		return doubt(signed.Error())
	case signed != nil:
		return word{standing: forged, msg: fmt.Sprintf("the signature of %s is not that of %s", about, quote(issuer.Subject.String()))}
	case l.ThisUpdate.After(at) && named:
		return doubt("that is after the time judged at")
	case l.ThisUpdate.After(at):
		return word{standing: useless, msg: fmt.Sprintf("%s is of %s, after the time judged at", about, moment(l.ThisUpdate))}
	case named:
		e := l.RevokedCertificateEntries[i]
		return word{standing: revoked, msg: fmt.Sprintf("revoked on %s (%s), says %s of %s", moment(e.RevocationTime), reasonName(e.ReasonCode), about, moment(l.ThisUpdate))}
	case c.odd != "":
		return doubt(c.odd)
	}
	if why := c.scope.leavesOut(subject); why != "" {
		return word{standing: useless, msg: about + " is not taken: " + why}
	}
	return fresh(about, l.ThisUpdate, l.NextUpdate, at)
}

// fresh is good, or why that is not known any more.
func fresh(about string, thisUpdate, nextUpdate, at time.Time) word {
	switch {
	case nextUpdate.IsZero():
		return word{standing: useless, msg: about + " does not say until when it holds (nextUpdate)"}
	case at.After(nextUpdate):
		return word{standing: stale, msg: fmt.Sprintf("%s is stale: it is of %s and held until %s", about, moment(thisUpdate), moment(nextUpdate))}
	}
	return word{standing: good, of: thisUpdate}
}

func isInsecure(err error) bool {
	var insecure x509.InsecureAlgorithmError
	return errors.As(err, &insecure)
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// reasonRemove is removeFromCRL: a delta list takes back what a complete one said.
const reasonRemove = 8

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
