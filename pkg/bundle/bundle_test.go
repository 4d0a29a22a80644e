package bundle_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/bundle"
	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
	"github.com/efgsta/efgsta/pkg/release"
)

var at = ceremonytest.Start.Add(time.Hour)

// world is a federation with one release.
type world struct {
	*ceremonytest.Federation
	options  release.Options
	files    release.Files
	manifest release.Manifest
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{Federation: ceremonytest.New(tb)}
	w.Members("DE")
	files, v := w.Release(at)
	w.files, w.manifest = files, v.Manifest
	w.options = release.Options{Anchors: []*anchor.Anchor{w.CurrentAnchor()}, At: at}
	return w
}

func pack(tb testing.TB, files release.Files, m release.Manifest, target release.Target) []byte {
	tb.Helper()
	out, err := bundle.Pack(files, m, target)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func TestPackUnpack(t *testing.T) {
	w := newWorld(t)
	for _, target := range []release.Target{release.TargetGateway, release.TargetTrust} {
		tarball := pack(t, w.files, w.manifest, target)
		if again := pack(t, maps.Clone(w.files), w.manifest, target); !bytes.Equal(tarball, again) {
			t.Errorf("%s: packed twice, two archives", target)
		}
		files, err := bundle.Unpack(bytes.NewReader(tarball))
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range w.files {
			dir, _, below := strings.Cut(name, "/")
			want := !below || dir == string(target) || dir == "trust"
			if got, ok := files[name]; ok != want || (ok && !bytes.Equal(got, data)) {
				t.Errorf("%s: %s is there: %v", target, name, ok)
			}
		}
		// What any tar program sees: nothing of this machine.
		var order []string
		for tr := tar.NewReader(bytes.NewReader(tarball)); ; {
			h, err := tr.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			order = append(order, h.Name)
			if h.Mode != 0o644 || h.Uid != 0 || h.Uname != "" || !h.ModTime.Equal(at) || h.Typeflag != tar.TypeReg {
				t.Errorf("%s has header %+v", h.Name, h)
			}
		}
		if !slices.Equal(order[:3], []string{release.ManifestPath, release.ManifestSig, release.ManifestCMS}) || !slices.IsSorted(order[3:]) {
			t.Errorf("order %q", order)
		}
		o := w.options
		o.Target = target
		v, state, err := bundle.Verify(tarball, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		if v.Manifest.Sequence != 1 || state.Sequence != 1 || state.Manifest != v.ManifestHash || state.Anchor != w.Anchor.SHA256 || state.ListID != "efgs-rehearsal" || state.Environment != "rehearsal" {
			t.Errorf("state %+v", state)
		}
		a, err := bundle.Anchor(tarball)
		if err != nil || a.Thumbprint() != w.options.Anchors[0].Thumbprint() {
			t.Errorf("Anchor: %v", err)
		}
	}
}

func TestPackRefuses(t *testing.T) {
	w := newWorld(t)
	for _, target := range []release.Target{release.TargetRecord, "keyserver", ""} {
		if out, err := bundle.Pack(w.files, w.manifest, target); err == nil || out != nil {
			t.Errorf("%q was packed", target)
		}
	}
	for name := range w.files {
		if strings.HasPrefix(name, "record/") {
			continue
		}
		files := maps.Clone(w.files)
		delete(files, name)
		if _, err := bundle.Pack(files, w.manifest, release.TargetGateway); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

// write makes a tar by hand.
func write(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range headers {
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		h.ModTime, h.Mode = at, 0o644
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestUnpackRefuses(t *testing.T) {
	w := newWorld(t)
	good := pack(t, w.files, w.manifest, release.TargetGateway)
	large := write(t, tar.Header{Name: "a", Size: 1})
	copy(large[124:136], "77777777777\x00") // 8 GiB
	checksum(large)
	for name, c := range map[string]struct {
		tarball []byte
		reason  string
	}{
		"nothing":            {nil, "no files"},
		"text":               {[]byte(strings.Repeat("not a tar ", 100)), ""},
		"no files":           {make([]byte, 1024), "no files"},
		"cut short":          {good[:len(good)-1500], ""},
		"without its end":    {good[:len(good)-1024], "not the one"},
		"trailing garbage":   {append(slices.Clone(good), 'x'), "not the one"},
		"trailing zeros":     {append(slices.Clone(good), make([]byte, 512)...), "not the one"},
		"a second archive":   {append(slices.Clone(good), good...), "not the one"},
		"something before":   {append(make([]byte, 512), good...), ""},
		"traversal":          {write(t, tar.Header{Name: "../evil"}), "not allowed"},
		"traversal inside":   {write(t, tar.Header{Name: "trust/../../evil"}), "not allowed"},
		"absolute":           {write(t, tar.Header{Name: "/etc/passwd"}), "not allowed"},
		"the parent":         {write(t, tar.Header{Name: ".."}), "not allowed"},
		"not clean":          {write(t, tar.Header{Name: "trust//x"}), "not allowed"},
		"dot":                {write(t, tar.Header{Name: "./x"}), "not allowed"},
		"backslash":          {write(t, tar.Header{Name: `trust\x`}), "not allowed"},
		"drive":              {write(t, tar.Header{Name: "c:x"}), "not allowed"},
		"symbolic link":      {write(t, tar.Header{Name: "a", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}), "regular"},
		"hard link":          {write(t, tar.Header{Name: "a", Typeflag: tar.TypeLink, Linkname: "b"}), "regular"},
		"directory":          {write(t, tar.Header{Name: "trust/", Typeflag: tar.TypeDir}), "regular"},
		"device":             {write(t, tar.Header{Name: "a", Typeflag: tar.TypeChar}), "regular"},
		"fifo":               {write(t, tar.Header{Name: "a", Typeflag: tar.TypeFifo}), "regular"},
		"duplicate":          {write(t, tar.Header{Name: "a"}, tar.Header{Name: "a"}), "twice"},
		"oversize":           {large, "bytes, at most"},
		"pax records":        {write(t, tar.Header{Name: "a", PAXRecords: map[string]string{"EFGSTA.x": "1"}}), "regular"},
		"long name in pax":   {write(t, tar.Header{Name: strings.Repeat("é", 200)}), "regular"},
		"GNU format":         {write(t, tar.Header{Name: "a", Format: tar.FormatGNU}), "regular"},
		"owner":              {write(t, tar.Header{Name: "a", Uid: 1000, Uname: "me"}), "not the one"},
		"not in order":       {write(t, tar.Header{Name: "b"}, tar.Header{Name: "a"}), "not the one"},
		"manifest not first": {write(t, tar.Header{Name: "a"}, tar.Header{Name: release.ManifestPath}), "not the one"},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := bundle.Unpack(bytes.NewReader(c.tarball))
			if !errors.Is(err, bundle.ErrArchive) || files != nil || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("%d files, %v, want ErrArchive and %q", len(files), err, c.reason)
			}
			if _, _, err := bundle.Verify(c.tarball, w.options, nil); !errors.Is(err, bundle.ErrArchive) {
				t.Errorf("Verify: %v", err)
			}
			if a, err := bundle.Anchor(c.tarball); !errors.Is(err, bundle.ErrArchive) || a != nil {
				t.Errorf("Anchor: %v", err)
			}
		})
	}
	if _, err := bundle.Unpack(io.MultiReader(bytes.NewReader(good), errorReader{})); !errors.Is(err, bundle.ErrArchive) {
		t.Errorf("a reader that fails: %v", err)
	}
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, errors.New("medium was removed") }

// checksum corrects the sum in the first header.
func checksum(tarball []byte) {
	copy(tarball[148:156], "        ")
	sum := 0
	for _, b := range tarball[:512] {
		sum += int(b)
	}
	copy(tarball[148:156], []byte{'0' + byte(sum>>15&7), '0' + byte(sum>>12&7), '0' + byte(sum>>9&7), '0' + byte(sum>>6&7), '0' + byte(sum>>3&7), '0' + byte(sum&7), 0, ' '})
}

// The endless archive is not read to its end.
func TestUnpackStopsAtTheLimit(t *testing.T) {
	r := &counter{}
	if _, err := bundle.Unpack(r); !errors.Is(err, bundle.ErrArchive) || !strings.Contains(err.Error(), "more than") {
		t.Errorf("%v", err)
	}
	if r.n > release.MaxTotal+1 {
		t.Errorf("%d bytes were read", r.n)
	}
}

type counter struct{ n int }

func (c *counter) Read(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}

// A bundle packed for another target, or of parts, is not whole.
func TestVerifyWantsTheWholeTarget(t *testing.T) {
	w := newWorld(t)
	o := w.options
	o.Target = release.TargetGateway
	if _, _, err := bundle.Verify(pack(t, w.files, w.manifest, release.TargetTrust), o, nil); !errors.Is(err, release.ErrInvalid) {
		t.Errorf("a trust bundle for the gateway: %v", err)
	}
	// Without all of them, and no target asked for: not a smaller bundle either.
	if _, _, err := bundle.Verify(pack(t, w.files, w.manifest, release.TargetTrust), w.options, nil); !errors.Is(err, bundle.ErrArchive) {
		t.Errorf("a bundle without any target's files: %v", err)
	}
	// Without one of the gateway's files: the archive is well formed, the bundle not whole.
	m := w.manifest
	m.Files = slices.DeleteFunc(slices.Clone(m.Files), func(f release.File) bool { return f.Path == "gateway/mysql.sql" })
	if _, _, err := bundle.Verify(pack(t, w.files, m, release.TargetGateway), w.options, nil); !errors.Is(err, release.ErrInvalid) || !strings.Contains(err.Error(), "mysql.sql is missing") {
		t.Errorf("without the SQL: %v", err)
	}
	// With the record, which stays at home.
	for i := range m.Files {
		if m.Files[i].Target == release.TargetRecord {
			m.Files[i].Target = release.TargetTrust
		}
	}
	if _, _, err := bundle.Verify(pack(t, w.files, m, release.TargetGateway), w.options, nil); !errors.Is(err, release.ErrInvalid) {
		t.Errorf("with the record: %v", err)
	}
}

// The time in the headers is the release's: another is another archive.
func TestVerifyWantsTheReleasesTime(t *testing.T) {
	w := newWorld(t)
	m := w.manifest
	m.Issued = m.Issued.Add(time.Hour)
	if _, _, err := bundle.Verify(pack(t, w.files, m, release.TargetGateway), w.options, nil); !errors.Is(err, bundle.ErrArchive) {
		t.Errorf("another time: %v", err)
	}
}

// No mutation of a bundle verifies: bits, bytes, cuts, repetitions.
func TestMutationsNeverVerify(t *testing.T) {
	w := newWorld(t)
	good := pack(t, w.files, w.manifest, release.TargetGateway)
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range 2000 {
		changed := slices.Clone(good)
		n := r.IntN(len(good))
		switch i % 5 {
		case 0, 1:
			changed[n] ^= 1 << r.IntN(8)
		case 2:
			changed[n] += 1 + byte(r.IntN(255))
		case 3:
			changed = slices.Delete(changed, n, min(n+1+r.IntN(600), len(changed)))
		case 4:
			m := min(n+1+r.IntN(600), len(good))
			changed = slices.Insert(changed, n, good[n:m]...)
		}
		if bytes.Equal(changed, good) {
			continue
		}
		v, s, err := bundle.Verify(changed, w.options, nil)
		if err == nil || v != nil || s != nil {
			t.Fatalf("seed %d, mutation %d at byte %d verifies", seed, i, n)
		}
		if !errors.Is(err, bundle.ErrArchive) && !errors.Is(err, release.ErrInvalid) {
			t.Fatalf("seed %d, mutation %d: %v", seed, i, err)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	w := newWorld(f)
	good := pack(f, w.files, w.manifest, release.TargetTrust)
	f.Add(good)
	f.Add(good[:1536])
	f.Add(make([]byte, 1024))
	f.Fuzz(func(t *testing.T, tarball []byte) {
		files, err := bundle.Unpack(bytes.NewReader(tarball))
		if err != nil {
			if !errors.Is(err, bundle.ErrArchive) || files != nil {
				t.Fatalf("Unpack = %d files, %v", len(files), err)
			}
			return
		}
		for name := range files {
			if name == "" || strings.HasPrefix(name, "/") || strings.Contains(name, "..") && slices.Contains(strings.Split(name, "/"), "..") {
				t.Fatalf("name %q", name)
			}
		}
		if v, _, err := bundle.Verify(tarball, w.options, nil); err == nil && !bytes.Equal(tarball, good) {
			t.Fatalf("another archive of release %d verifies", v.Manifest.Sequence)
		}
	})
}
