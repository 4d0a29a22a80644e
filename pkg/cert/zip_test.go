package cert

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// sevenZip runs 7-Zip, which knows WinZip's encryption, in a directory.
func sevenZip(t testing.TB, dir string, args ...string) {
	t.Helper()
	for _, name := range []string{"7zz", "7z"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		cmd := exec.Command(path, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return
	}
	t.Fatal("7-Zip not found: run make test-deps")
}

type packed struct {
	name string
	data []byte
}

func zipOf(t testing.TB, method uint16, entries ...packed) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		f, err := w.CreateHeader(&zip.FileHeader{Name: e.name, Method: method})
		if err == nil {
			_, err = f.Write(e.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestZip(t *testing.T) {
	a, b := selfSigned(t, "a"), selfSigned(t, "b")
	pa, pb := []byte(pemOf("CERTIFICATE", a)), []byte(pemOf("CERTIFICATE", b))
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		in := opened(zipOf(t, method, packed{"README", []byte("hello\n")}, packed{"certs/", nil}, packed{"certs/x.exe", pa}, packed{"certs/y", pb}, packed{"empty", nil}, packed{"z.p7b", berOf(a, b)}))
		if len(in.Items) != 4 {
			t.Fatalf("%d items: %+v", len(in.Items), in.Problems)
		}
		if in.Kind != "zip archive" || in.Items[0].Entry != "certs/x.exe" || in.Items[0].Line != 1 || in.Items[3].Entry != "z.p7b" {
			t.Errorf("%s %+v", in.Kind, in.Items)
		}
		if kinds(in) != "" {
			t.Errorf("%+v", in.Problems)
		}
	}
	key := []byte(pemOf("PRIVATE KEY", []byte{0x30, 0}))
	inner := zipOf(t, zip.Store, packed{"a", pa})
	strange := bytes.Replace(zipOf(t, zip.Store, packed{"a", pa}), []byte("PK\x01\x02\x14\x00\x14\x00\x08\x00\x00\x00"), []byte("PK\x01\x02\x14\x00\x14\x00\x08\x00\x0e\x00"), 1)
	damaged := bytes.Replace(zipOf(t, zip.Store, packed{"a", pa}), []byte("BEGIN"), []byte("begin"), 1)
	many := make([]packed, maxEntries+1)
	for i := range many {
		many[i].name = fmt.Sprint(i)
	}
	large := packed{"large", bytes.Repeat([]byte{'x'}, maxEntry+1)}
	for _, c := range []struct {
		name, problems, says string
		in                   []byte
	}{
		{"nothing in it", "no-certificate@-1:0", "", zipOf(t, zip.Store)},
		{"text", "no-certificate@-1:0", "", zipOf(t, zip.Store, packed{"a", []byte("hello")})},
		{"request", "wrong-type@-1:1", `entry "a": certificate signing request`, zipOf(t, zip.Deflate, packed{"a", []byte(pemOf("CERTIFICATE REQUEST", []byte{5, 0}))})},
		{"private key", "private-key@-1:1 no-certificate@-1:0", "", zipOf(t, zip.Deflate, packed{"a", key})},
		{"archive in it", "wrong-type@-1:0", "inside another", zipOf(t, zip.Store, packed{"a", inner})},
		{"unknown compression", "unreadable@-1:0 no-certificate@-1:0", "compression method 14", strange},
		{"damaged", "unreadable@-1:0 no-certificate@-1:0", "checksum", damaged},
		{"cut off", "unreadable@-1:0 no-certificate@-1:0", "zip archive", inner[:len(inner)-9]},
		{"too many", "unreadable@-1:0 no-certificate@-1:0", "501 entries", zipOf(t, zip.Store, many...)},
		{"too large", "unreadable@-1:0 no-certificate@-1:0", "larger unpacked", zipOf(t, zip.Store, large)},
		{"grows too much", "unreadable@-1:0 no-certificate@-1:0", "larger unpacked", zipOf(t, zip.Deflate, packed{"a", make([]byte, 1<<20)})},
		{"name that goes up", "wrong-type@-1:1", `entry "../../etc/passwd"`, zipOf(t, zip.Store, packed{"../../etc/passwd", []byte(pemOf("CRL", nil))})},
		{"too large together", "unreadable@-1:0 no-certificate@-1:0", `entry "4": it is larger`, squeezed(t, 5)},
	} {
		in := opened(c.in)
		msg := ""
		if len(in.Problems) > 0 {
			msg = in.Problems[0].Msg
		}
		if kinds(in) != c.problems || !strings.Contains(msg, c.says) || len(in.Items) > 0 {
			t.Errorf("%s: %s, %+v", c.name, kinds(in), in.Problems)
		}
	}
	if in := opened(zipOf(t, zip.Store, packed{"a", key})); !in.PrivateKey {
		t.Error("private key not seen")
	}
	if in := opened(overlapping(t)); len(in.Items) > 20 || !strings.Contains(in.Problems[0].Msg, "overlap") {
		t.Errorf("overlapping: %d items, %+v", len(in.Items), in.Problems)
	}
}

// noise does not shrink.
func noise(n int) []byte {
	out := make([]byte, 0, n+sha1.Size)
	for sum := sha1.Sum(nil); len(out) < n; sum = sha1.Sum(sum[:]) {
		out = append(out, sum[:]...)
	}
	return out[:n]
}

// squeezed is an archive of n files that together are larger than what is read
// of an archive, which itself is not.
func squeezed(t *testing.T, n int) []byte {
	t.Helper()
	const block = 1 << 14 // within the window of deflate
	data := bytes.Repeat(noise(block), maxEntry/block)
	var entries []packed
	for i := range n {
		entries = append(entries, packed{fmt.Sprint(i), data})
	}
	return zipOf(t, zip.Deflate, entries...)
}

// overlapping is an archive whose directory names one file many times.
func overlapping(t *testing.T) []byte {
	t.Helper()
	raw := zipOf(t, zip.Store, packed{"a", []byte(pemOf("CERTIFICATE", selfSigned(t, "a")))})
	at := bytes.Index(raw, []byte("PK\x01\x02"))
	end := bytes.Index(raw, []byte("PK\x05\x06"))
	const times = 100
	out := append(bytes.Clone(raw[:at]), bytes.Repeat(raw[at:end], times)...)
	tail := bytes.Clone(raw[end:])
	binary.LittleEndian.PutUint16(tail[8:], times)
	binary.LittleEndian.PutUint16(tail[10:], times)
	binary.LittleEndian.PutUint32(tail[12:], uint32(times*(end-at)))
	return append(out, tail...)
}

func TestZipAES(t *testing.T) {
	dir := t.TempDir()
	f := files{t, dir}
	a, b := selfSigned(t, "a"), selfSigned(t, "b")
	f.write("a.pem", append(bytes.Repeat([]byte("comment\n"), 100), pemOf("CERTIFICATE", a)...))
	f.write("b.der", b)
	const password = "geheim, Wort \" fuer Wort"
	check := func(what string, data []byte) {
		t.Helper()
		in := with(password, data)
		holds(t, what, in, a, b)
		if in := with("wrong", data); kinds(in) != "password@-1:0 password@-1:0 no-certificate@-1:0" || !strings.Contains(in.Problems[0].Msg, "wrong") {
			t.Errorf("%s, wrong password: %+v", what, in.Problems)
		}
		if in := opened(data); kinds(in) != "password@-1:0 password@-1:0 no-certificate@-1:0" || !strings.Contains(in.Problems[0].Msg, "--password-file") {
			t.Errorf("%s, no password: %+v", what, in.Problems)
		}
	}
	for _, method := range []string{"AES128", "AES192", "AES256"} {
		os.Remove(f.path("7.zip"))
		sevenZip(t, dir, "a", "-tzip", "-mem="+method, "-p"+password, "7.zip", "a.pem", "b.der")
		check("7-Zip "+method, f.read("7.zip"))
	}
	pem := f.read("a.pem")
	for strength := byte(1); strength <= 3; strength++ {
		for version := uint16(1); version <= 2; version++ {
			for _, method := range []uint16{zip.Store, zip.Deflate} {
				what := fmt.Sprintf("AE-%d strength %d method %d", version, strength, method)
				data := sealedZip(t, aesExtra{version, strength, method}, password, packed{"a", pem}, packed{"b", b})
				check(what, data)
				// 7-Zip agrees that these are what they claim.
				f.write("ours.zip", data)
				sevenZip(t, dir, "t", "-p"+password, "ours.zip")
			}
		}
	}

	// Asked once, and erased.
	asked, answer := 0, []byte(password)
	Open("f", f.read("7.zip"), Options{Password: func() ([]byte, error) { asked++; return answer, nil }})
	if asked != 1 || !bytes.Equal(answer, make([]byte, len(answer))) {
		t.Errorf("asked %d times, %q", asked, answer)
	}

	good := sealedZip(t, aesExtra{2, 3, zip.Store}, password, packed{"a", pem})
	at := bytes.Index(good, []byte("PK\x01\x02"))
	flipped := bytes.Clone(good)
	flipped[at-11] ^= 1 // the last octet before the tag
	badField := bytes.ReplaceAll(good, []byte("AE\x03"), []byte("AE\x04"))
	for _, c := range []struct {
		name, problem, says string
		in                  []byte
	}{
		{"changed", ProblemPassword, "damaged", flipped},
		{"strength 4", ProblemUnreadable, "AES field", badField},
		{"too short", ProblemUnreadable, "too short", sealedZip(t, aesExtra{2, 3, zip.Store}, "", packed{"a", nil})},
		{"wrong checksum", ProblemUnreadable, "checksum", sealedZip(t, aesExtra{1, 3, zip.Store}, password, packed{"badcrc", pem})},
	} {
		if in := with(password, c.in); len(in.Items) != 0 || in.Problems[0].Kind != c.problem || !strings.Contains(in.Problems[0].Msg, c.says) {
			t.Errorf("%s: %+v", c.name, in.Problems)
		}
	}

	os.Remove(f.path("old.zip"))
	sevenZip(t, dir, "a", "-tzip", "-mem=ZipCrypto", "-psecret", "old.zip", "a.pem")
	if in := with("secret", f.read("old.zip")); kinds(in) != "unreadable@-1:0 no-certificate@-1:0" || !strings.Contains(in.Problems[0].Msg, "ZipCrypto") {
		t.Errorf("ZipCrypto: %+v", in.Problems)
	}
	key := sealedZip(t, aesExtra{2, 3, zip.Store}, password, packed{"key", []byte(pemOf("PRIVATE KEY", []byte{0x30, 0}))}, packed{"a", pem})
	if in := with(password, key); !in.PrivateKey || len(in.Items) != 1 {
		t.Errorf("private key in it: %+v", in.Problems)
	}
}

// sealedZip writes an archive in WinZip's encryption, after its published
// description. The file "badcrc" gets a wrong checksum; an empty password gives
// entries without their encryption fields.
func sealedZip(t testing.TB, a aesExtra, password string, entries ...packed) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, e := range entries {
		plain := e.data
		if a.method == zip.Deflate {
			var z bytes.Buffer
			fw, err := flate.NewWriter(&z, 9)
			if err == nil {
				_, err = fw.Write(plain)
			}
			if err == nil {
				err = fw.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			plain = z.Bytes()
		}
		keySize := 8 * (int(a.strength) + 1)
		salt := bytes.Repeat([]byte{byte(i + 1)}, keySize/2)
		keys, err := pbkdf2.Key(sha1.New, password, salt, 1000, 2*keySize+2)
		if err != nil {
			t.Fatal(err)
		}
		block, err := aes.NewCipher(keys[:keySize])
		if err != nil {
			t.Fatal(err)
		}
		sealed := bytes.Clone(plain)
		var stream [16]byte
		for j := range sealed {
			if j%16 == 0 {
				var counter [16]byte
				binary.LittleEndian.PutUint32(counter[:], uint32(j/16+1))
				block.Encrypt(stream[:], counter[:])
			}
			sealed[j] ^= stream[j%16]
		}
		mac := hmac.New(sha1.New, keys[keySize:2*keySize])
		mac.Write(sealed)
		raw := append(append(append(salt, keys[2*keySize:]...), sealed...), mac.Sum(nil)[:10]...)
		if password == "" {
			raw = nil
		}
		extra := []byte{0x01, 0x99, 7, 0, byte(a.version), 0, 'A', 'E', a.strength, byte(a.method), 0}
		h := &zip.FileHeader{Name: e.name, Method: 99, Flags: 1, Extra: extra, CompressedSize64: uint64(len(raw)), UncompressedSize64: uint64(len(e.data))}
		if a.version == 1 {
			h.CRC32 = crc32.ChecksumIEEE(e.data)
		}
		if e.name == "badcrc" {
			h.CRC32++
		}
		f, err := w.CreateRaw(h)
		if err == nil {
			_, err = f.Write(raw)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
