package trustlist_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
	"github.com/efgsta/efgsta/pkg/trustlist"
	"github.com/efgsta/efgsta/pkg/vet"
)

func TestVerifyRefuses(t *testing.T) {
	w, other := newWorld(t, func(*anchor.Params) {}), newWorld(t, func(*anchor.Params) {})
	short := newWorld(t, func(p *anchor.Params) { p.NotBefore, p.Days = start.AddDate(0, 0, -700), 730 })
	late := newWorld(t, func(p *anchor.Params) { p.NotBefore = start.Add(time.Second) })
	production := newWorld(t, func(p *anchor.Params) { p.Rehearsal = false })
	same := func(*trustlist.List) {}
	for _, c := range []struct {
		name     string
		signs    *world // and is named in the list
		pinned   []*anchor.Anchor
		change   func(*trustlist.List)
		signedAt time.Time
		at       time.Time
		reason   string
	}{
		{"wrong anchor", w, []*anchor.Anchor{other.anchor}, same, start, start, "not pinned"},
		{"no anchor", w, nil, same, start, start, "not pinned"},
		{"stale by a second", w, nil, same, start, end.Add(time.Second), "stale"},
		{"not yet valid", w, nil, same, start, start.Add(-time.Second), "not valid before"},
		{"signed at another time", w, nil, same, start.Add(time.Second), start, "signed at"},
		{"production list of a rehearsal EFGSTA", w, nil, func(l *trustlist.List) { l.Environment = "production" }, start, start, "other environment"},
		{"rehearsal list of a production EFGSTA", production, nil, same, start, start, "other environment"},
		{"outlives its EFGSTA", short, nil, same, start, start, "outlives"},
		{"names another subject", w, nil, func(l *trustlist.List) { l.Anchor.Subject = "CN=other" }, start, start, "subject"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := c.signs.list()
			c.change(l)
			text, p7s := c.signs.sign(t, l, c.signedAt)
			pinned := c.pinned
			if pinned == nil && c.name != "no anchor" {
				pinned = []*anchor.Anchor{c.signs.anchor}
			}
			got, err := trustlist.Verify(text, p7s, pinned, c.at)
			if err == nil {
				t.Fatal("verified")
			}
			if !errors.Is(err, trustlist.ErrInvalid) || got != nil || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("error %v, want ErrInvalid and %q", err, c.reason)
			}
		})
	}

	// An EFGSTA that begins after the list cannot even make the signature; the list's own words are not enough.
	l := late.list()
	doc, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := late.signer.DocumentCMS(doc, start); err == nil {
		t.Error("signed before the EFGSTA's life")
	}

	// Signed by another pinned EFGSTA than the one that it names.
	doc, err = w.list().Encode()
	if err != nil {
		t.Fatal(err)
	}
	p7s, err := other.signer.DocumentCMS(doc, start)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trustlist.Verify(doc.Bytes(), p7s, []*anchor.Anchor{w.anchor, other.anchor}, start); !errors.Is(err, trustlist.ErrInvalid) {
		t.Errorf("signed by another than it names: %v", err)
	}
}

// No byte of a signed list, or of its signature, can be another.
func TestVerifyFindsEveryChangedByte(t *testing.T) {
	w := newWorld(t, func(*anchor.Params) {})
	text, p7s := w.sign(t, w.list(), start)
	pinned := []*anchor.Anchor{w.anchor}
	for i := range text {
		changed := slices.Clone(text)
		changed[i] ^= 1
		if _, err := trustlist.Verify(changed, p7s, pinned, start); !errors.Is(err, trustlist.ErrInvalid) {
			t.Fatalf("byte %d of the list: %v", i, err)
		}
	}
	for i := range p7s {
		changed := slices.Clone(p7s)
		changed[i] ^= 1
		if _, err := trustlist.Verify(text, changed, pinned, start); !errors.Is(err, trustlist.ErrInvalid) {
			t.Fatalf("byte %d of the signature: %v", i, err)
		}
	}
}

// Each thing that a list says of itself is checked when it is made and when it is read.
func TestListRefuses(t *testing.T) {
	w := newWorld(t, func(*anchor.Params) {})
	key := ceremonytest.ECKey(t)
	twin := func(country string, role vet.Role) trustlist.Entry {
		return entry(t, ceremonytest.Certificate(t, ceremonytest.Spec{Country: country, Role: role, Key: key}), role, country)
	}
	hex := strings.Repeat("33", 32)
	removal := trustlist.Removal{Country: "IT", Type: vet.NBBS, SHA256: hex, Reason: "r", Since: start}
	remove := func(change func(*trustlist.Removal)) func(*trustlist.List) {
		return func(l *trustlist.List) {
			r := removal
			change(&r)
			l.Removed = append(l.Removed, r)
			l.Sort()
		}
	}
	paris := time.FixedZone("", 3600)
	for name, c := range map[string]struct {
		change func(*trustlist.List)
		reason string
	}{
		"schema":               {func(l *trustlist.List) { l.Schema = anchor.Manifest }, "schema"},
		"no list id":           {func(l *trustlist.List) { l.ListID = "" }, "list id"},
		"environment":          {func(l *trustlist.List) { l.Environment = "test" }, "environment"},
		"sequence 0":           {func(l *trustlist.List) { l.Sequence = 0; l.Previous = "" }, "sequence 0"},
		"first with previous":  {func(l *trustlist.List) { l.Sequence = 1 }, "previous"},
		"later without":        {func(l *trustlist.List) { l.Previous = "" }, "previous"},
		"previous is no hash":  {func(l *trustlist.List) { l.Previous = "ab" }, "previous"},
		"previous upper case":  {func(l *trustlist.List) { l.Previous = strings.ToUpper(l.Previous) }, "previous"},
		"no time":              {func(l *trustlist.List) { l.NextUpdate = l.ThisUpdate }, "next update"},
		"backwards":            {func(l *trustlist.List) { l.NextUpdate = l.ThisUpdate.Add(-time.Hour) }, "next update"},
		"this update in nanos": {func(l *trustlist.List) { l.ThisUpdate = l.ThisUpdate.Add(time.Nanosecond) }, "whole seconds"},
		"next update in nanos": {func(l *trustlist.List) { l.NextUpdate = l.NextUpdate.Add(time.Nanosecond) }, "whole seconds"},
		"not UTC":              {func(l *trustlist.List) { l.ThisUpdate = l.ThisUpdate.In(paris) }, "whole seconds"},
		"no anchor subject":    {func(l *trustlist.List) { l.Anchor.Subject = "" }, "anchor"},
		"no anchor hash":       {func(l *trustlist.List) { l.Anchor.SHA256 = "" }, "anchor"},
		"no policy":            {func(l *trustlist.List) { l.Policy.Name = "" }, "policy"},
		"no policy hash":       {func(l *trustlist.List) { l.Policy.SHA256 = "x" }, "policy"},
		"no entries":           {func(l *trustlist.List) { l.Entries = nil }, "missing"},
		"no removed":           {func(l *trustlist.List) { l.Removed = nil }, "missing"},
		"type":                 {func(l *trustlist.List) { l.Entries[0].Type = vet.EFGSTLS }, "type"},
		"out of order":         {func(l *trustlist.List) { slices.Reverse(l.Entries) }, "out of order"},
		"twice":                {func(l *trustlist.List) { l.Entries = append(l.Entries, l.Entries[2]) }, "out of order"},
		"no certificate":       {func(l *trustlist.List) { l.Entries[0].Certificate = "" }, "no single certificate"},
		"two certificates":     {func(l *trustlist.List) { l.Entries[0].Certificate += l.Entries[1].Certificate }, "no single certificate"},
		"CRLF": {func(l *trustlist.List) {
			l.Entries[0].Certificate = strings.ReplaceAll(l.Entries[0].Certificate, "\n", "\r\n")
		}, "canonical"},
		"text before":          {func(l *trustlist.List) { l.Entries[0].Certificate = "x\n" + l.Entries[0].Certificate }, "canonical"},
		"another certificate":  {func(l *trustlist.List) { l.Entries[0].Certificate = l.Entries[1].Certificate }, "differ"},
		"another hash":         {func(l *trustlist.List) { l.Entries[2].SHA256 = hex }, "differ"},
		"another key hash":     {func(l *trustlist.List) { l.Entries[0].SPKISHA256 = hex }, "differ"},
		"another subject":      {func(l *trustlist.List) { l.Entries[0].Subject = "CN=x" }, "differ"},
		"another not before":   {func(l *trustlist.List) { l.Entries[0].NotBefore = start }, "differ"},
		"another not after":    {func(l *trustlist.List) { l.Entries[0].NotAfter = end }, "differ"},
		"waived, and nothing":  {waived(), "empty"},
		"waived: no rule":      {waived(trustlist.Waived{Rule: "EFGS-1", Until: end}), "no rule"},
		"waived: a name":       {waived(trustlist.Waived{Rule: "EFGS-20x", Until: end}), "no rule"},
		"waived: twice":        {waived(trustlist.Waived{Rule: "EFGS-201", Until: end}, trustlist.Waived{Rule: "EFGS-201", Until: end}), "out of order"},
		"waived: out of order": {waived(trustlist.Waived{Rule: "EFGS-301", Until: end}, trustlist.Waived{Rule: "EFGS-201", Until: end}), "out of order"},
		"waived: ended":        {waived(trustlist.Waived{Rule: "EFGS-201", Until: start.Add(-time.Second)}), "ended before"},
		"waived: no end":       {waived(trustlist.Waived{Rule: "EFGS-201"}), "ended before"},
		"waived: nanoseconds":  {waived(trustlist.Waived{Rule: "EFGS-201", Until: end.Add(1)}), "whole seconds"},
		"waived: not UTC":      {waived(trustlist.Waived{Rule: "EFGS-201", Until: end.In(paris)}), "whole seconds"},
		"another country":      {func(l *trustlist.List) { l.Entries[2].Country = "IT" }, "the certificate's C"},
		"same in two roles":    {sameInTwoRoles, "already listed"},
		"key in two roles":     {func(l *trustlist.List) { l.Entries = append(l.Entries, twin("IT", vet.NBBS), twin("IT", vet.NBTLS)) }, "key is also"},
		"key in two countries": {func(l *trustlist.List) { l.Entries = append(l.Entries, twin("IT", vet.NBBS), twin("NL", vet.NBBS)) }, "key is also"},
		"removed and listed":   {remove(func(r *trustlist.Removal) { r.SHA256 = w.entries[0].SHA256 }), "also there as"},
		"removed twice":        {func(l *trustlist.List) { l.Removed = append(l.Removed, l.Removed[1]) }, "out of order"},
		"removed in two roles": {func(l *trustlist.List) {
			remove(func(*trustlist.Removal) {})(l)
			remove(func(r *trustlist.Removal) { r.Type = vet.NBTLS })(l)
		}, "also there as"},
		"removed out of order":  {func(l *trustlist.List) { slices.Reverse(l.Removed) }, "out of order"},
		"removed: type":         {remove(func(r *trustlist.Removal) { r.Type = vet.EFGSTA }), "type"},
		"removed: country":      {remove(func(r *trustlist.Removal) { r.Country = "I" }), "country"},
		"removed: hash":         {remove(func(r *trustlist.Removal) { r.SHA256 = "'; DROP TABLE" }), "SHA-256"},
		"removed: no reason":    {remove(func(r *trustlist.Removal) { r.Reason = "" }), "reason"},
		"removed: long reason":  {remove(func(r *trustlist.Removal) { r.Reason = strings.Repeat("x", 257) }), "reason"},
		"removed in the future": {remove(func(r *trustlist.Removal) { r.Since = start.Add(time.Second) }), "since"},
		"removed: nanoseconds":  {remove(func(r *trustlist.Removal) { r.Since = start.Add(-time.Nanosecond) }), "since"},
	} {
		t.Run(name, func(t *testing.T) {
			l := w.list()
			c.change(l)
			if _, err := l.Encode(); !errors.Is(err, trustlist.ErrInvalid) || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("Encode: %v, want ErrInvalid and %q", err, c.reason)
			}
			if l.Certificates() != nil {
				t.Error("a list that is not valid gives certificates")
			}
			if name == "waived, and nothing" {
				return // TestWaivedHasOneForm: an empty member is not written
			}
			if name == "schema" {
				return // Encode of another schema is not a text that Parse begins to read
			}
			doc, err := anchor.Encode(anchor.TrustList, l)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := trustlist.Parse(doc.Bytes()); !errors.Is(err, trustlist.ErrInvalid) || got != nil {
				t.Errorf("Parse: %v", err)
			}
		})
	}
	l := w.list()
	remove(func(*trustlist.Removal) {})(l)
	if _, err := l.Encode(); err != nil {
		t.Errorf("the vectors change a list that is not good before: %v", err)
	}
}

// waived excuses the first entry.
func waived(list ...trustlist.Waived) func(*trustlist.List) {
	return func(l *trustlist.List) { l.Entries[0].Waived = append([]trustlist.Waived{}, list...) }
}

// A list with waived rules is read back as it was written, and there is one way to say none.
func TestWaivedHasOneForm(t *testing.T) {
	w := newWorld(t, func(*anchor.Params) {})
	l := w.list()
	waived(trustlist.Waived{Rule: "EFGS-201", Until: start}, trustlist.Waived{Rule: "EFGS-602", Until: end})(l)
	text, p7s := w.sign(t, l, start)
	back, err := trustlist.Verify(text, p7s, []*anchor.Anchor{w.anchor}, start)
	if err != nil || !slices.Equal(back.Entries[0].Waived, l.Entries[0].Waived) || back.Entries[1].Waived != nil {
		t.Fatalf("read back %+v, %v", back, err)
	}
	none, _ := w.sign(t, w.list(), start)
	if strings.Contains(string(none), "waived") {
		t.Error("a list without waivers speaks of them")
	}
	end := "-----END CERTIFICATE-----\\n\"\n"
	for _, member := range []string{"[]", "null", "{}"} {
		bad := strings.Replace(string(none), end, strings.TrimSuffix(end, "\n")+",\n      \"waived\": "+member+"\n", 1)
		if bad == string(none) {
			t.Fatal("nothing was changed")
		}
		if _, err := trustlist.Parse([]byte(bad)); !errors.Is(err, trustlist.ErrInvalid) {
			t.Errorf("waived %s: %v", member, err)
		}
	}
}

// sameInTwoRoles lists one certificate as NBBS and as NBTLS.
func sameInTwoRoles(l *trustlist.List) {
	e := l.Entries[2]
	e.Type = vet.NBTLS
	l.Entries = append(l.Entries, e)
	l.Sort()
}

func FuzzParse(f *testing.F) {
	w := newWorld(f, func(*anchor.Params) {})
	text, _ := w.sign(f, w.list(), start)
	f.Add(text)
	f.Add([]byte(strings.Replace(string(text), `"FR"`, `"DE"`, 1)))
	f.Add([]byte(strings.Replace(string(text), `Z"`, `+00:00"`, 1)))
	f.Add([]byte("{}"))
	excused := w.list()
	waived(trustlist.Waived{Rule: "EFGS-201", Until: end})(excused)
	text, _ = w.sign(f, excused, start)
	f.Add(text)
	f.Add([]byte(strings.Replace(string(text), `"EFGS-201"`, `"EFGS-2"`, 1)))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := trustlist.Parse(text)
		if err != nil {
			if !errors.Is(err, trustlist.ErrInvalid) || l != nil {
				t.Fatalf("Parse = %v, %v", l, err)
			}
			return
		}
		doc, err := l.Encode()
		if err != nil || string(doc.Bytes()) != string(text) {
			t.Fatalf("read %q, writes %q (%v)", text, doc.Bytes(), err)
		}
		if len(l.Certificates()) != len(l.Entries) {
			t.Fatal("an entry without certificate")
		}
	})
}
