package trustlist_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/trustlist"
)

// announce signs a statement that other follows w.
func (w *world) announce(tb testing.TB, next *world, signedAt time.Time, change func(*trustlist.Succession)) (text, p7s []byte) {
	tb.Helper()
	s := trustlist.NewSuccession("efgs-rehearsal", "rehearsal", w.anchor, next.anchor, start, start.AddDate(0, 1, 0))
	change(s)
	doc, err := s.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	if p7s, err = w.signer.DocumentCMS(doc, signedAt); err != nil {
		tb.Fatal(err)
	}
	return doc.Bytes(), p7s
}

func TestSuccession(t *testing.T) {
	plain := func(*anchor.Params) {}
	old, next, third := newWorld(t, plain), newWorld(t, plain), newWorld(t, plain)
	production := newWorld(t, func(p *anchor.Params) { p.Rehearsal = false })
	same := func(*trustlist.Succession) {}
	pinned := []*anchor.Anchor{old.anchor}

	text, p7s := old.announce(t, next, start, same)
	s, got, err := trustlist.VerifySuccession(text, p7s, pinned)
	if err != nil {
		t.Fatal(err)
	}
	if got.Thumbprint() != next.anchor.Thumbprint() || !s.From.Equal(start.AddDate(0, 1, 0)) || s.ListID != "efgs-rehearsal" {
		t.Errorf("%+v", s)
	}

	_, foreign := third.announce(t, next, start, func(s *trustlist.Succession) {
		s.Old = trustlist.Anchor{Subject: s.Old.Subject, SHA256: third.anchor.Thumbprint().String()}
	})
	for name, c := range map[string]struct {
		text, p7s []byte
		pinned    []*anchor.Anchor
		reason    string
	}{
		"nobody pinned":        {text, p7s, nil, "not pinned"},
		"only the new pinned":  {text, p7s, []*anchor.Anchor{next.anchor}, "not pinned"},
		"signed by a third":    {text, foreign, append(pinned, third.anchor), ""},
		"a byte changed":       {bytes.Replace(text, []byte("efgs-rehearsal"), []byte("efgs-rehearsai"), 1), p7s, pinned, ""},
		"signed later":         signedLater(t, old, next, pinned),
		"the other world":      otherWorld(t, old, production, pinned),
		"not canonical":        {append(bytes.Clone(text), '\n'), p7s, pinned, ""},
		"a list's text":        {[]byte(`{"schema":"efgsta.trustlist/v1"}`), p7s, pinned, ""},
		"signature of nothing": {text, nil, pinned, ""},
	} {
		s, got, err := trustlist.VerifySuccession(c.text, c.p7s, c.pinned)
		if err == nil || s != nil || got != nil || !errors.Is(err, trustlist.ErrInvalid) || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type successionCase = struct {
	text, p7s []byte
	pinned    []*anchor.Anchor
	reason    string
}

func signedLater(t *testing.T, old, next *world, pinned []*anchor.Anchor) (c successionCase) {
	c.text, c.p7s = old.announce(t, next, start.Add(time.Second), func(*trustlist.Succession) {})
	c.pinned, c.reason = pinned, "announced at"
	return c
}

func otherWorld(t *testing.T, old, production *world, pinned []*anchor.Anchor) (c successionCase) {
	c.text, c.p7s = old.announce(t, production, start, func(*trustlist.Succession) {})
	c.pinned, c.reason = pinned, "rehearsals"
	return c
}

func TestSuccessionEncodeRefuses(t *testing.T) {
	plain := func(*anchor.Params) {}
	old, next, third := newWorld(t, plain), newWorld(t, plain), newWorld(t, plain)
	for reason, change := range map[string]func(*trustlist.Succession){
		"follows itself":                    func(s *trustlist.Succession) { s.Old = s.New },
		"begins before":                     func(s *trustlist.Succession) { s.From = s.Announced.Add(-time.Second) },
		"is valid from":                     func(s *trustlist.Succession) { s.From = next.anchor.Certificate.NotAfter },
		"not that of the certificate":       func(s *trustlist.Succession) { s.New.SHA256 = third.anchor.Thumbprint().String() },
		"canonical":                         func(s *trustlist.Succession) { s.Certificate = "\n" + s.Certificate },
		"holds 0 certificates, exactly one": func(s *trustlist.Succession) { s.Certificate = "none" },
	} {
		s := trustlist.NewSuccession("l", "rehearsal", old.anchor, next.anchor, start, start)
		change(s)
		_, err := s.Encode()
		if !errors.Is(err, trustlist.ErrInvalid) {
			t.Errorf("%s: %v", reason, err)
		} else if !strings.Contains(err.Error(), reason) && !strings.Contains(reason, "holds") {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

func FuzzSuccession(f *testing.F) {
	plain := func(*anchor.Params) {}
	old, next := newWorld(f, plain), newWorld(f, plain)
	text, p7s := old.announce(f, next, start, func(*trustlist.Succession) {})
	f.Add(text)
	f.Fuzz(func(t *testing.T, in []byte) {
		_, got, err := trustlist.VerifySuccession(in, p7s, []*anchor.Anchor{old.anchor})
		if (err == nil) != bytes.Equal(in, text) || (err == nil) != (got != nil) {
			t.Errorf("%q: %v", in, err)
		}
	})
}
