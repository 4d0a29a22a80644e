package trustlist_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
	"github.com/efgsta/efgsta/pkg/trustlist"
	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

// start and end are this and next update of every list here.
var (
	start = ceremonytest.Start
	end   = start.AddDate(0, 0, 90)
)

// world is an EFGSTA with its signer, and three vetted certificates.
type world struct {
	anchor  *anchor.Anchor
	signer  *anchor.Signer
	entries []trustlist.Entry
}

func newWorld(tb testing.TB, change func(*anchor.Params)) *world {
	tb.Helper()
	key := ceremonytest.ECKey(tb)
	w := &world{}
	p := anchor.Params{Organization: "European Commission", Rehearsal: true, NotBefore: start, Days: 730, Scheme: sigalg.ECDSA, Hash: 5}
	change(&p)
	var err error
	if w.anchor, err = anchor.Create(engine(tb), p, key, rand.Reader); err != nil {
		tb.Fatal(err)
	}
	if w.signer, err = w.anchor.NewSigner(key, rand.Reader); err != nil {
		tb.Fatal(err)
	}
	for _, s := range []ceremonytest.Spec{{Country: "DE", Role: vet.NBBS}, {Country: "DE", Role: vet.NBTLS}, {Country: "FR", Role: vet.NBBS}} {
		w.entries = append(w.entries, entry(tb, ceremonytest.Certificate(tb, s), s.Role, s.Country))
	}
	return w
}

func engine(tb testing.TB) *vet.Engine {
	tb.Helper()
	p, err := policy.Load(policy.Default)
	if err != nil {
		tb.Fatal(err)
	}
	e, err := vet.New(p)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func entry(tb testing.TB, c *cert.Certificate, role vet.Role, country string) trustlist.Entry {
	tb.Helper()
	a, _, err := engine(tb).Accept(vet.Request{Certificate: c, Role: role, Country: country, At: start})
	if err != nil {
		tb.Fatal(err)
	}
	return trustlist.NewEntry(a)
}

// list is a good list of the world.
func (w *world) list() *trustlist.List {
	l := &trustlist.List{
		Schema: anchor.TrustList, ListID: "efgs-rehearsal", Environment: "rehearsal", Sequence: 2, Previous: strings.Repeat("ab", 32),
		ThisUpdate: start, NextUpdate: end,
		Anchor:  trustlist.Anchor{Subject: w.anchor.Certificate.Subject.String(), SHA256: w.anchor.Thumbprint().String()},
		Policy:  trustlist.Policy{Name: "efgs-2020", SHA256: strings.Repeat("cd", 32)},
		Entries: append([]trustlist.Entry{}, w.entries...),
		Removed: []trustlist.Removal{
			{Country: "FR", Type: vet.NBTLS, SHA256: strings.Repeat("22", 32), Reason: "EFGS-204 expired", Since: start},
			{Country: "DE", Type: vet.NBBS, SHA256: strings.Repeat("11", 32), Reason: "EFGS-204 expired", Since: start.AddDate(0, 0, -1)},
		},
	}
	l.Sort()
	return l
}

// sign returns text and signature of a list.
func (w *world) sign(tb testing.TB, l *trustlist.List, at time.Time) (text, p7s []byte) {
	tb.Helper()
	doc, err := l.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	if p7s, err = w.signer.DocumentCMS(doc, at); err != nil {
		tb.Fatal(err)
	}
	return doc.Bytes(), p7s
}

// The text of a list is what other programs read: it changes only with its schema.
func TestGolden(t *testing.T) {
	l := &trustlist.List{
		Schema: anchor.TrustList, ListID: "efgs-rehearsal", Environment: "rehearsal", Sequence: 1,
		ThisUpdate: start, NextUpdate: end,
		Anchor: trustlist.Anchor{Subject: "C=BE, O=European Commission, OU=REHEARSAL, CN=EU Federation Gateway Service", SHA256: strings.Repeat("ef", 32)},
		Policy: trustlist.Policy{Name: "efgs-2020", SHA256: strings.Repeat("cd", 32)},
		Removed: []trustlist.Removal{
			{Country: "IT", Type: vet.NBBS, SHA256: strings.Repeat("11", 32), Reason: "EFGS-204 expired", Since: start},
		},
	}
	for name, role := range map[string]vet.Role{"fr-nbbs": vet.NBBS, "de-nbtls": vet.NBTLS, "de-nbbs": vet.NBBS} {
		data, err := os.ReadFile(filepath.Join("testdata", name+".pem"))
		if err != nil {
			t.Fatal(err)
		}
		c := cert.Read(name, data).Items[0].Cert
		l.Entries = append(l.Entries, entry(t, c, role, strings.ToUpper(name[:2])))
	}
	l.Sort()
	doc, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join("testdata", "list.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(doc.Bytes(), want) {
		t.Errorf("the list is written as\n%s\nwant testdata/list.json", doc.Bytes())
	}
	back, err := trustlist.Parse(want)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(back.Certificates()); got != 3 || back.Count(vet.NBBS) != 2 || back.Count(vet.NBTLS) != 1 {
		t.Errorf("%d certificates, %d NBBS, %d NBTLS", got, back.Count(vet.NBBS), back.Count(vet.NBTLS))
	}
	c := back.Certificates()[1]
	if e, ok := back.Find(c.Thumbprint()); !ok || e.Certificate != string(c.PEM()) {
		t.Errorf("Find = %+v, %v", e, ok)
	}
	if _, ok := back.Find(cert.Thumbprint{}); ok {
		t.Error("a certificate that is not there was found")
	}
}

func TestVerify(t *testing.T) {
	w := newWorld(t, func(*anchor.Params) {})
	text, p7s := w.sign(t, w.list(), start)
	other := newWorld(t, func(*anchor.Params) {})
	for _, at := range []time.Time{start, start.AddDate(0, 0, 45), end} {
		l, err := trustlist.Verify(text, p7s, []*anchor.Anchor{other.anchor, w.anchor}, at)
		if err != nil || l.Sequence != 2 {
			t.Errorf("at %s: %v", at, err)
		}
	}
}
