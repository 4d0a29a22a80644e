package trustlist

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/vet"
)

// maxReason is the longest reason of a removal, in bytes; every target can show it.
const maxReason = 256

// certificates checks everything that the list says of itself and returns the
// certificates of its entries.
func (l *List) certificates() ([]*cert.Certificate, error) {
	if err := l.checkHead(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	seen := map[string]string{} // thumbprint → where
	certs, err := l.checkEntries(seen)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := l.checkRemoved(seen); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return certs, nil
}

func (l *List) checkHead() error {
	switch {
	case l.Schema != anchor.TrustList:
		return fmt.Errorf("schema %q", l.Schema)
	case l.ListID == "":
		return errors.New("no list id")
	case l.Environment != "rehearsal" && l.Environment != "production":
		return fmt.Errorf("environment %q", l.Environment)
	case l.Sequence == 0:
		return errors.New("sequence 0")
	case (l.Sequence == 1) != (l.Previous == ""), l.Previous != "" && !isSHA256(l.Previous):
		return fmt.Errorf("sequence %d with previous %q", l.Sequence, l.Previous)
	case !wholeSecond(l.ThisUpdate) || !wholeSecond(l.NextUpdate):
		return errors.New("this or next update is not in whole seconds of UTC")
	case !l.ThisUpdate.Before(l.NextUpdate):
		return errors.New("next update is not after this update")
	case l.Anchor.Subject == "" || !isSHA256(l.Anchor.SHA256):
		return errors.New("no anchor")
	case l.Policy.Name == "" || !isSHA256(l.Policy.SHA256):
		return errors.New("no policy")
	case l.Entries == nil || l.Removed == nil:
		return errors.New("entries or removed missing")
	}
	return nil
}

func (l *List) checkEntries(seen map[string]string) ([]*cert.Certificate, error) {
	roles := map[string]string{} // key → country and type: one key serves one member in one role
	var certs []*cert.Certificate
	for i, e := range l.Entries {
		at := fmt.Sprintf("entry %d (%q %q %q)", i, e.Country, e.Type, cert.ShortHex(e.SHA256))
		if e.Type != vet.NBBS && e.Type != vet.NBTLS {
			return nil, fmt.Errorf("%s: type is not nbbs or nbtls", at)
		}
		if i > 0 {
			p := l.Entries[i-1]
			if compare(p.Country, e.Country, p.Type, e.Type, p.SHA256, e.SHA256) >= 0 {
				return nil, fmt.Errorf("%s: out of order", at)
			}
		}
		c, err := onlyCertificate(e.Certificate)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		own := entryOf(c, e.Type, e.Country)
		own.Waived = e.Waived
		if !reflect.DeepEqual(e, own) {
			return nil, fmt.Errorf("%s: fields differ from the certificate", at)
		}
		if err := l.checkWaived(e.Waived); err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		if cc := c.Countries(); !cert.IsCountryCode(e.Country) || len(cc) != 1 || cc[0] != e.Country {
			return nil, fmt.Errorf("%s: the certificate's C is %q", at, cc)
		}
		if where, dup := seen[e.SHA256]; dup {
			return nil, fmt.Errorf("%s: already listed as %s", at, where)
		}
		seen[e.SHA256] = at
		who := e.Country + " " + string(e.Type)
		if other, ok := roles[e.SPKISHA256]; ok && other != who {
			return nil, fmt.Errorf("%s: key is also that of %s", at, other)
		}
		roles[e.SPKISHA256] = who
		certs = append(certs, c)
	}
	return certs, nil
}

// checkWaived holds the rules that an entry is excused from to one form: none is no
// member, and each was in force when the list was made.
func (l *List) checkWaived(waived []Waived) error {
	if waived != nil && len(waived) == 0 {
		return errors.New("waived is there, and empty")
	}
	for i, w := range waived {
		switch {
		case !isRule(w.Rule):
			return fmt.Errorf("waived: %q is no rule", w.Rule)
		case i > 0 && waived[i-1].Rule >= w.Rule:
			return fmt.Errorf("waived: %s is out of order", w.Rule)
		case !wholeSecond(w.Until) || w.Until.Before(l.ThisUpdate):
			return fmt.Errorf("waived: %s ended before this update, or not in whole seconds of UTC", w.Rule)
		}
	}
	return nil
}

// isRule reports the form of a rule's id, "EFGS-308". Which rules there are is a matter of
// the version that made the list.
func isRule(id string) bool {
	number, ok := strings.CutPrefix(id, "EFGS-")
	return ok && len(number) == 3 && strings.Trim(number, "0123456789") == ""
}

func (l *List) checkRemoved(seen map[string]string) error {
	for i, r := range l.Removed {
		at := fmt.Sprintf("removal %d (%q %q %q)", i, r.Country, r.Type, cert.ShortHex(r.SHA256))
		switch {
		case r.Type != vet.NBBS && r.Type != vet.NBTLS:
			return fmt.Errorf("%s: type is not nbbs or nbtls", at)
		case !cert.IsCountryCode(r.Country):
			return fmt.Errorf("%s: no country", at)
		case !isSHA256(r.SHA256):
			return fmt.Errorf("%s: no SHA-256", at)
		case r.Reason == "" || len(r.Reason) > maxReason:
			return fmt.Errorf("%s: the reason has %d bytes, 1 to %d are allowed", at, len(r.Reason), maxReason)
		case !wholeSecond(r.Since) || r.Since.After(l.ThisUpdate):
			return fmt.Errorf("%s: since is after this update, or not in whole seconds of UTC", at)
		}
		if i > 0 {
			p := l.Removed[i-1]
			if compare(p.Country, r.Country, p.Type, r.Type, p.SHA256, r.SHA256) >= 0 {
				return fmt.Errorf("%s: out of order", at)
			}
		}
		if where, ok := seen[r.SHA256]; ok {
			return fmt.Errorf("%s: also there as %s", at, where)
		}
		seen[r.SHA256] = at
	}
	return nil
}

// onlyCertificate parses text that must be exactly one canonical PEM block.
func onlyCertificate(text string) (*cert.Certificate, error) {
	in := cert.Read("entry", []byte(text))
	if len(in.Items) != 1 || in.Items[0].Cert == nil {
		return nil, errors.New("no single certificate")
	}
	c := in.Items[0].Cert
	if !bytes.Equal(c.PEM(), []byte(text)) {
		return nil, errors.New("certificate text is not canonical PEM")
	}
	return c, nil
}

// isSHA256 reports 64 lower-case hex digits.
func isSHA256(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32 && hex.EncodeToString(b) == s
}

// wholeSecond reports a time that has one spelling in the list.
func wholeSecond(t time.Time) bool { return t.Nanosecond() == 0 && t.Location() == time.UTC }
