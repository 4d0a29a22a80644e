package release_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/sigalg"
	"github.com/efgsta/efgsta/pkg/vet"
)

var at = ceremonytest.Start.Add(time.Hour)

// world is a federation with one release of two NBBS and one NBTLS.
type world struct {
	*ceremonytest.Federation
	anchor *anchor.Anchor
	files  release.Files
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{Federation: ceremonytest.New(tb)}
	w.Members("DE")
	w.Submit(ceremonytest.Spec{Country: "FR", Role: vet.NBBS})
	w.anchor = w.CurrentAnchor()
	w.files, _ = w.Release(at)
	return w
}

func (w *world) options() release.Options {
	return release.Options{Anchors: []*anchor.Anchor{w.anchor}, At: at}
}

// resign makes a manifest that lists the files as they are, after change, and signs
// it with the EFGSTA's own key.
func (w *world) resign(tb testing.TB, files release.Files, change func(*release.Manifest)) {
	tb.Helper()
	var m release.Manifest
	if err := anchor.Decode(anchor.Manifest, w.files[release.ManifestPath], &m); err != nil {
		tb.Fatal(err)
	}
	var listed []release.File
	for _, f := range m.Files {
		if data, ok := files[f.Path]; ok {
			f.Size, f.SHA256 = len(data), release.Digest(data)
			listed = append(listed, f)
		}
	}
	m.Files = listed
	change(&m)
	doc, err := anchor.Encode(anchor.Manifest, m)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := w.anchor.NewSigner(w.Key, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	raw, err := s.Document(doc)
	if err != nil {
		tb.Fatal(err)
	}
	p7s, err := s.DocumentCMS(doc, m.Issued)
	if err != nil {
		tb.Fatal(err)
	}
	files[release.ManifestPath], files[release.ManifestSig], files[release.ManifestCMS] = doc.Bytes(), release.EncodeSignature(raw), p7s
}

func same(*release.Manifest) {}

// part is what a bundle of the target holds.
func (w *world) part(target release.Target) release.Files {
	out := maps.Clone(w.files)
	maps.DeleteFunc(out, func(name string, _ []byte) bool {
		dir, _, below := strings.Cut(name, "/")
		return below && dir != string(target) && dir != string(release.TargetTrust)
	})
	return out
}

func refused(t *testing.T, files release.Files, o release.Options, reason string) {
	t.Helper()
	v, err := release.Verify(files, o)
	if err == nil {
		t.Fatal("verified")
	}
	if !errors.Is(err, release.ErrInvalid) || v != nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("error %q, want ErrInvalid and %q", err, reason)
	}
}

func TestVerify(t *testing.T) {
	w := newWorld(t)
	for _, target := range []release.Target{"", release.TargetGateway, release.TargetTrust} {
		files := w.files
		if target != "" {
			files = w.part(target)
		}
		o := w.options()
		o.Target = target
		v, err := release.Verify(files, o)
		if err != nil {
			t.Fatalf("%q: %v", target, err)
		}
		if v.Manifest.Sequence != 1 || v.List.Count(vet.NBBS) != 2 || v.List.Count(vet.NBTLS) != 1 || v.ManifestHash != release.Digest(files[release.ManifestPath]) ||
			v.Anchor.Thumbprint() != w.anchor.Thumbprint() || string(v.ListText) != string(files[release.ListPath]) {
			t.Errorf("%q: %+v", target, v)
		}
		for _, s := range v.Steps {
			if !s.Proven {
				t.Errorf("%q: not proven: %s", target, s.Text)
			}
		}
	}
	if _, err := release.VerifyAtIssue(w.files, []*anchor.Anchor{w.anchor}); err != nil {
		t.Error(err)
	}
}

// Nothing in a release can be another byte, be left out, be added or be swapped.
func TestVerifyFindsTampering(t *testing.T) {
	w := newWorld(t)
	other := newWorld(t)
	second, _ := w.Release(at.Add(24 * time.Hour))
	entries := verified(t, w.files, w.options()).List.Entries
	path := func(i int, suffix string) string {
		e := entries[i]
		return fmt.Sprintf("trust/certificates/%s-%s-%s.%s", e.Country, e.Type, e.SHA256[:16], suffix)
	}
	for name := range w.files {
		t.Run("without "+name, func(t *testing.T) {
			files := maps.Clone(w.files)
			delete(files, name)
			refused(t, files, w.options(), name+" is missing")
		})
		t.Run("empty "+name, func(t *testing.T) {
			files := maps.Clone(w.files)
			files[name] = []byte{}
			refused(t, files, w.options(), name)
		})
		t.Run("longer "+name, func(t *testing.T) {
			files := maps.Clone(w.files)
			files[name] = append(slices.Clone(files[name]), '\n')
			refused(t, files, w.options(), name)
		})
	}
	for name, c := range map[string]struct {
		change func(release.Files)
		reason string
	}{
		"a file more":                           {func(f release.Files) { f["trust/more.pem"] = []byte("x") }, "trust/more.pem is not in the manifest"},
		"a file above":                          {func(f release.Files) { f["../evil"] = []byte("x") }, "../evil is not in the manifest"},
		"swapped operator signatures":           {func(f release.Files) { f[path(0, "sig")], f[path(1, "sig")] = f[path(1, "sig")], f[path(0, "sig")] }, ".sig"},
		"swapped certificates":                  {func(f release.Files) { f[path(0, "pem")], f[path(2, "pem")] = f[path(2, "pem")], f[path(0, "pem")] }, ".pem"},
		"signatures of another anchor":          {func(f release.Files) { f[release.ManifestSig] = other.files[release.ManifestSig] }, release.ManifestSig},
		"CMS of another anchor":                 {func(f release.Files) { f[release.ManifestCMS] = other.files[release.ManifestCMS] }, release.ManifestCMS},
		"manifest signature of another release": {func(f release.Files) { f[release.ManifestSig] = second[release.ManifestSig] }, release.ManifestSig},
		"manifest of another release": {func(f release.Files) {
			for _, n := range []string{release.ManifestPath, release.ManifestSig, release.ManifestCMS} {
				f[n] = second[n]
			}
		}, "differs"},
		"list of another release": {func(f release.Files) {
			f[release.ListPath], f[release.ListCMSPath] = second[release.ListPath], second[release.ListCMSPath]
		}, release.ListPath},
		"manifest of another anchor": {func(f release.Files) {
			for _, n := range []string{release.ManifestPath, release.ManifestSig, release.ManifestCMS} {
				f[n] = other.files[n]
			}
		}, "not pinned"},
		"line ends in the signature": {func(f release.Files) {
			f[release.ManifestSig] = append([]byte("\n"), f[release.ManifestSig]...)
		}, release.ManifestSig},
		"signature without line end": {func(f release.Files) {
			f[release.ManifestSig] = f[release.ManifestSig][:len(f[release.ManifestSig])-1]
		}, release.ManifestSig},
	} {
		t.Run(name, func(t *testing.T) {
			files := maps.Clone(w.files)
			c.change(files)
			refused(t, files, w.options(), c.reason)
		})
	}
}

func verified(t *testing.T, files release.Files, o release.Options) *release.Verified {
	t.Helper()
	v, err := release.Verify(files, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVerifyFindsEveryChangedByte(t *testing.T) {
	w := &world{Federation: ceremonytest.New(t)}
	w.Submit(ceremonytest.Spec{Country: "FR"})
	w.anchor = w.CurrentAnchor()
	w.files, _ = w.Release(at)
	for name := range w.files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := maps.Clone(w.files)
			data := slices.Clone(files[name])
			files[name] = data
			step := 1
			if len(data) > 4<<10 {
				step = 7 // those are held by one hash, which knows no places
			}
			for i := 0; i < len(data); i += step {
				data[i] ^= 1 << (i % 8)
				_, err := release.Verify(files, w.options())
				if !errors.Is(err, release.ErrInvalid) || !strings.Contains(err.Error(), name) {
					t.Fatalf("byte %d: %v", i, err)
				}
				data[i] ^= 1 << (i % 8)
			}
			verified(t, files, w.options())
		})
	}
}

// What the key's own signature over the manifest would cover up: everything that
// follows from list and plan is followed.
func TestVerifyBehindASignedManifest(t *testing.T) {
	w := newWorld(t)
	second, _ := w.Release(at.Add(24 * time.Hour))
	entries := verified(t, w.files, w.options()).List.Entries
	path := func(i int, suffix string) string {
		e := entries[i]
		return fmt.Sprintf("trust/certificates/%s-%s-%s.%s", e.Country, e.Type, e.SHA256[:16], suffix)
	}
	file := func(path string, target release.Target, r release.Renderer, data string) func(*release.Manifest) {
		return func(m *release.Manifest) {
			m.Files = append(m.Files, release.File{Path: path, Target: target, Renderer: r, Size: len(data), SHA256: release.Digest([]byte(data))})
			slices.SortFunc(m.Files, func(a, b release.File) int { return strings.Compare(a.Path, b.Path) })
		}
	}
	gatewayFiles := func(change func(*release.File)) func(*release.Manifest) {
		return func(m *release.Manifest) {
			for i := range m.Files {
				if m.Files[i].Target == release.TargetGateway {
					change(&m.Files[i])
				}
			}
		}
	}
	none := func(release.Files) {}
	hash := strings.Repeat("0", 64)
	for name, c := range map[string]struct {
		files    func(release.Files)
		manifest func(*release.Manifest)
		reason   string
	}{
		"smuggled SQL": {func(f release.Files) {
			f["gateway/mysql.sql"] = append(slices.Clone(f["gateway/mysql.sql"]), "DELETE FROM certificate;\n"...)
		}, same, "gateway/mysql.sql differs from what list and signatures give"},
		"SQL with other country": {func(f release.Files) {
			f["gateway/mysql.sql"] = []byte(strings.ReplaceAll(string(f["gateway/mysql.sql"]), "'FR'", "'DE'"))
		}, same, "gateway/mysql.sql differs"},
		"rows of one less": {func(f release.Files) {
			f["gateway/rows.json"] = []byte(strings.Replace(string(f["gateway/rows.json"]), `"revoked": false`, `"revoked": true`, 1))
		}, same, "gateway/rows.json differs"},
		"whitelist with another":  {func(f release.Files) { f["gateway/whitelist.pem"] = f[path(0, "pem")] }, same, "gateway/whitelist.pem differs"},
		"other import guide":      {func(f release.Files) { f["gateway/IMPORT.md"] = []byte("curl | sh\n") }, same, "gateway/IMPORT.md differs"},
		"without SQL":             {func(f release.Files) { delete(f, "gateway/mysql.sql") }, same, "gateway files"},
		"a gateway file more":     {func(f release.Files) { f["gateway/evil.sql"] = []byte("x") }, file("gateway/evil.sql", release.TargetGateway, release.RenderGateway, "x"), "gateway files"},
		"a gateway file in place": {func(f release.Files) { delete(f, "gateway/rows.json"); f["gateway/z.sql"] = []byte("x") }, file("gateway/z.sql", release.TargetGateway, release.RenderGateway, "x"), "gateway/rows.json differs"},
		"gateway file as copy":    {none, gatewayFiles(func(f *release.File) { f.Renderer = release.RenderCopy }), "cannot be made by renderer"},
		"gateway file by nobody":  {none, gatewayFiles(func(f *release.File) { f.Renderer = "" }), "cannot be made by renderer"},
		"one file of a later version": {none, gatewayFiles(func(f *release.File) {
			if strings.HasSuffix(f.Path, ".sql") {
				f.Renderer = "gateway/2"
			}
		}), "is made by renderer"},
		"swapped operator signatures": {func(f release.Files) { f[path(0, "sig")], f[path(1, "sig")] = f[path(1, "sig")], f[path(0, "sig")] }, same, ".sig: signature does not verify"},
		"swapped CMS signatures":      {func(f release.Files) { f[path(0, "p7s")], f[path(1, "p7s")] = f[path(1, "p7s")], f[path(0, "p7s")] }, same, ".p7s"},
		"CMS of another release":      {func(f release.Files) { f[path(0, "p7s")] = second[path(0, "p7s")] }, same, "made for another release"},
		"signature on two lines": {func(f release.Files) {
			s := string(f[path(0, "sig")])
			f[path(0, "sig")] = []byte(s[:10] + "\n" + s[10:])
		}, same, "base64 on one line"},
		"certificate of another": {func(f release.Files) { f[path(0, "pem")] = f[path(1, "pem")] }, same, "is not the certificate of the list"},
		"certificate not listed": {func(f release.Files) { f["trust/certificates/x.pem"] = []byte("x") }, file("trust/certificates/x.pem", release.TargetTrust, release.RenderCopy, "x"), "10 files under trust/certificates for 3 entries"},
		"without a certificate":  {func(f release.Files) { delete(f, path(0, "pem")) }, same, "is not the certificate of the list"},
		"without a signature":    {func(f release.Files) { delete(f, path(0, "sig")) }, same, "is missing"},
		"list of another release": {func(f release.Files) {
			f[release.ListPath], f[release.ListCMSPath] = second[release.ListPath], second[release.ListCMSPath]
		}, same, release.ListPath},
		"list signature of another":      {func(f release.Files) { f[release.ListCMSPath] = second[release.ListCMSPath] }, same, release.ListPath},
		"without list":                   {func(f release.Files) { delete(f, release.ListPath) }, same, release.ListPath},
		"another EFGSTA for information": {func(f release.Files) { f[release.AnchorPath] = f[path(0, "pem")] }, same, "is not the EFGSTA that signed"},
		"another plan":                   {func(f release.Files) { f[release.PlanPath] = []byte("{}") }, same, "is not the plan"},
		"without plan":                   {func(f release.Files) { delete(f, release.PlanPath) }, same, "is not the plan"},
		"sequence":                       {none, func(m *release.Manifest) { m.Sequence = 2 }, "do not agree"},
		"list id":                        {none, func(m *release.Manifest) { m.ListID = "x" }, "do not agree"},
		"environment":                    {none, func(m *release.Manifest) { m.Environment = "production" }, "do not agree"},
		"expires later":                  {none, func(m *release.Manifest) { m.Expires = m.Expires.AddDate(1, 0, 0) }, "do not agree"},
		"begins earlier":                 {none, func(m *release.Manifest) { m.NotBefore = m.NotBefore.AddDate(0, 0, -1) }, "do not agree"},
		"previous of the first":          {none, func(m *release.Manifest) { m.Previous = hash }, "previous"},
		"no files":                       {none, func(m *release.Manifest) { m.Files = nil }, "lists 0 files"},
		"duplicate":                      {none, func(m *release.Manifest) { m.Files = append(m.Files, m.Files[len(m.Files)-1]) }, "out of order"},
		"unsorted":                       {none, func(m *release.Manifest) { slices.Reverse(m.Files) }, "out of order"},
		"no hash":                        {none, func(m *release.Manifest) { m.Files[0].SHA256 = "" }, "has no SHA-256"},
		"hash of another length":         {none, func(m *release.Manifest) { m.Files[0].SHA256 = hash[2:] }, "has no SHA-256"},
		"hash in upper case":             {none, func(m *release.Manifest) { m.Files[0].SHA256 = strings.ToUpper(m.Files[0].SHA256) }, "differs from its hash"},
		"size":                           {none, func(m *release.Manifest) { m.Files[0].Size++ }, "bytes, the manifest says"},
		"target of another directory":    {none, func(m *release.Manifest) { m.Files[0].Target = release.TargetTrust }, "cannot be of target"},
		"unknown target":                 {none, file("zoo/x", "zoo", release.RenderCopy, ""), "cannot be of target"},
		"a directory's name":             {none, file("trust", release.TargetTrust, release.RenderCopy, ""), "cannot be of target"},
		"the manifest in itself":         {none, file("manifest.json", release.TargetTrust, release.RenderCopy, ""), "cannot be of target"},
		"trust file by the gateway":      {none, file("trust/x", release.TargetTrust, release.RenderGateway, ""), "cannot be made by renderer"},
		"renderer 01":                    {none, file("trust/x", release.TargetTrust, "copy/01", ""), "cannot be made by renderer"},
		"renderer without version":       {none, file("trust/x", release.TargetTrust, "copy", ""), "cannot be made by renderer"},
	} {
		t.Run(name, func(t *testing.T) {
			files := maps.Clone(w.files)
			c.files(files)
			w.resign(t, files, c.manifest)
			refused(t, files, w.options(), c.reason)
		})
	}
	for _, bad := range []string{"trust/../../etc/passwd", "../x", "/etc/passwd", "trust//x", "trust/./x", "trust/x/", "trust/..", `trust\x`, "trust/c:x", "trust/a\x00b", "", ".", ".."} {
		t.Run("path "+bad, func(t *testing.T) {
			files := maps.Clone(w.files)
			w.resign(t, files, file(bad, release.TargetTrust, release.RenderCopy, ""))
			refused(t, files, w.options(), "not allowed")
		})
	}
	files := maps.Clone(w.files)
	w.resign(t, files, same)
	verified(t, files, w.options())
}

// Files that another version made are verified as far as that goes, and the rest is said.
func TestVerifyLaterVersion(t *testing.T) {
	w := newWorld(t)
	files := maps.Clone(w.files)
	files["gateway/mysql.sql"] = []byte("-- in another form\n")
	files["trust/notice.txt"] = []byte("x")
	w.resign(t, files, func(m *release.Manifest) {
		for i := range m.Files {
			if m.Files[i].Target == release.TargetGateway {
				m.Files[i].Renderer = "gateway/2"
			}
		}
		m.Files = append(m.Files, release.File{Path: "trust/notice.txt", Target: release.TargetTrust, Renderer: "copy/1", Size: 1, SHA256: release.Digest([]byte("x"))})
		slices.SortFunc(m.Files, func(a, b release.File) int { return strings.Compare(a.Path, b.Path) })
	})
	var said []string
	for _, s := range verified(t, files, w.options()).Steps {
		if !s.Proven {
			said = append(said, s.Text)
		}
	}
	if len(said) != 2 || !strings.Contains(said[0], "trust/notice.txt") || !strings.Contains(said[1], "gateway/2") {
		t.Errorf("not evaluated: %q", said)
	}
	files["gateway/mysql.sql"] = []byte("-- in another for\n")
	refused(t, files, w.options(), "gateway/mysql.sql")
}

func TestVerifyTargets(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	o.Target = release.TargetGateway
	refused(t, w.files, o, "is not in the manifest") // the record is not for the gateway
	o.Target = release.TargetTrust
	refused(t, w.part(release.TargetGateway), o, "is not in the manifest")
	o.Target = release.TargetGateway
	refused(t, w.part(release.TargetTrust), o, "is missing")
}

func TestVerifyFreshness(t *testing.T) {
	w := newWorld(t)
	expires := verified(t, w.files, w.options()).Manifest.Expires
	for _, c := range []struct {
		at     time.Time
		reason string
	}{{at.Add(-time.Second), "not valid before"}, {expires.Add(time.Second), "expired"}, {time.Time{}, "not valid before"}} {
		refused(t, w.files, release.Options{Anchors: []*anchor.Anchor{w.anchor}, At: c.at}, c.reason)
	}
	verified(t, w.files, release.Options{Anchors: []*anchor.Anchor{w.anchor}, At: expires})
	if _, err := release.VerifyAtIssue(w.files, nil); !errors.Is(err, release.ErrInvalid) {
		t.Errorf("VerifyAtIssue without anchor: %v", err)
	}
	if _, err := release.VerifyAtIssue(release.Files{}, []*anchor.Anchor{w.anchor}); !errors.Is(err, release.ErrInvalid) {
		t.Errorf("VerifyAtIssue of nothing: %v", err)
	}
}

// With an EFGSTA that the gateway cannot verify there are no files for it, and that is said.
func TestVerifyWithoutGateway(t *testing.T) {
	f := ceremonytest.NewWith(t, ceremonytest.RSAKey(t), sigalg.RSAPSS)
	f.Members("DE")
	files, _ := f.Release(at)
	for name := range files {
		if strings.HasPrefix(name, "gateway/") {
			t.Errorf("%s is there", name)
		}
	}
	maps.DeleteFunc(files, func(name string, _ []byte) bool { return strings.HasPrefix(name, "record/") })
	o := release.Options{Anchors: []*anchor.Anchor{f.CurrentAnchor()}, At: at, Target: release.TargetTrust}
	verified(t, files, o)
	o.Target = release.TargetGateway
	refused(t, files, o, "no gateway files")
}

func TestDecodeSignature(t *testing.T) {
	raw := []byte{1, 2, 3, 250}
	for _, text := range []string{"AQID+g==\n", "AQID+g=="} {
		if got, err := release.DecodeSignature([]byte(text)); err != nil || string(got) != string(raw) {
			t.Errorf("%q: %x, %v", text, got, err)
		}
	}
	if string(release.EncodeSignature(raw)) != "AQID+g==\n" {
		t.Errorf("EncodeSignature = %q", release.EncodeSignature(raw))
	}
	for _, text := range []string{"", "\n", "AQID+g==\n\n", "AQID\n+g==\n", "AQID+g==\r\n", " AQID+g==", "AQID+g", "AQID+h==", "AQID-g==", "AQID+g== x", "AQID+g==AQID"} {
		if got, err := release.DecodeSignature([]byte(text)); !errors.Is(err, release.ErrInvalid) || got != nil {
			t.Errorf("%q: %x, %v", text, got, err)
		}
	}
}

func FuzzDecodeSignature(f *testing.F) {
	f.Add([]byte("AQID+g==\n"))
	f.Add([]byte("AQID\n+g=="))
	f.Fuzz(func(t *testing.T, text []byte) {
		raw, err := release.DecodeSignature(text)
		if err == nil && strings.TrimSuffix(string(release.EncodeSignature(raw)), "\n") != strings.TrimSuffix(string(text), "\n") {
			t.Fatalf("%q gives %x", text, raw)
		}
	})
}

func FuzzVerifyManifest(f *testing.F) {
	w := newWorld(f)
	text := w.files[release.ManifestPath]
	f.Add(text)
	f.Add([]byte(strings.Replace(string(text), "trust/", "../", 1)))
	f.Add([]byte(strings.Replace(string(text), `"files": [`, `"files": null, "x": [`, 1)))
	f.Fuzz(func(t *testing.T, changed []byte) {
		files := maps.Clone(w.files)
		files[release.ManifestPath] = changed
		_, err := release.Verify(files, w.options())
		if (err == nil) != (string(changed) == string(text)) {
			t.Fatalf("%q: %v", changed, err)
		}
		_, err = release.VerifyAtIssue(files, []*anchor.Anchor{w.anchor})
		if (err == nil) != (string(changed) == string(text)) {
			t.Fatalf("%q: %v", changed, err)
		}
	})
}

// The same behind a signature: what is signed may be odd, but never a crash or a pass.
func FuzzVerifySignedManifest(f *testing.F) {
	w := newWorld(f)
	f.Add("trust/x", "copy/1", 0, strings.Repeat("0", 64), "trust")
	f.Add("gateway/rows.json", "gateway/1", 1, "", "gateway")
	f.Fuzz(func(t *testing.T, path, renderer string, size int, hash, target string) {
		files := maps.Clone(w.files)
		defer func() {
			if r := recover(); r != nil {
				t.Fatalf("%q: %v", path, r)
			}
		}()
		w.resign(t, files, func(m *release.Manifest) {
			m.Files = append(m.Files, release.File{Path: path, Target: release.Target(target), Renderer: release.Renderer(renderer), Size: size, SHA256: hash})
			slices.SortFunc(m.Files, func(a, b release.File) int { return strings.Compare(a.Path, b.Path) })
		})
		if _, err := release.Verify(files, w.options()); err == nil {
			t.Fatalf("a manifest that lists %q, which is not there, verifies", path)
		}
	})
}

func TestReadDir(t *testing.T) {
	good := fstest.MapFS{"a": {Data: []byte("x")}, "b/c/d": {Data: []byte("y")}}
	files, err := release.ReadDir(good)
	if err != nil || len(files) != 2 || string(files["b/c/d"]) != "y" {
		t.Errorf("ReadDir = %q, %v", files, err)
	}
	many := fstest.MapFS{}
	for i := range release.MaxFiles + 1 {
		many[fmt.Sprintf("d/%d", i)] = &fstest.MapFile{}
	}
	for name, fsys := range map[string]fstest.MapFS{
		"link":      {"a": {Data: []byte("b"), Mode: 0o777 | 1<<27}, "b": {}},
		"many":      many,
		"one large": {"a": {Data: make([]byte, release.MaxFile+1)}},
		"together large": {"a": {Data: make([]byte, release.MaxFile)}, "b": {Data: make([]byte, release.MaxFile)},
			"c": {Data: make([]byte, release.MaxFile)}, "d": {Data: make([]byte, release.MaxFile)}, "e": {Data: []byte("x")}},
	} {
		if files, err := release.ReadDir(fsys); !errors.Is(err, release.ErrInvalid) || files != nil {
			t.Errorf("%s: %d files, %v", name, len(files), err)
		}
	}
}
