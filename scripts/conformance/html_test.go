//go:build conformance

package conformance

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/png"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// browser is what Chromium made of a page.
type browser struct {
	dom     string // after everything has run
	picture image.Image
	pdf     string // path
}

const pageWidth, pageHeight = 1000, 3000

// browse opens a page in Chromium, takes its picture and prints it.
func browse(t *testing.T, page string) browser {
	t.Helper()
	dir := t.TempDir()
	b := browser{pdf: filepath.Join(dir, "page.pdf")}
	picture := filepath.Join(dir, "page.png")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	// no-sandbox, because a container gives root and no user namespaces; the page is ours.
	cmd := exec.CommandContext(ctx, tool(t, "chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--hide-scrollbars", "--no-pdf-header-footer", "--user-data-dir="+dir, fmt.Sprintf("--window-size=%d,%d", pageWidth, pageHeight),
		"--screenshot="+picture, "--print-to-pdf="+b.pdf, "--dump-dom", "file://"+page)
	cmd.Env = append(os.Environ(), "HOME="+dir)
	cmd.WaitDelay = 10 * time.Second
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, errs.String())
	}
	b.dom = string(out)
	if b.picture, err = png.Decode(bytes.NewReader(read(t, picture))); err != nil {
		t.Fatal(err)
	}
	return b
}

// colours counts the pixels of each colour.
func colours(p image.Image) map[color.RGBA]int {
	n := map[color.RGBA]int{}
	for y := p.Bounds().Min.Y; y < p.Bounds().Max.Y; y++ {
		for x := p.Bounds().Min.X; x < p.Bounds().Max.X; x++ {
			n[color.RGBAModel.Convert(p.At(x, y)).(color.RGBA)]++
		}
	}
	return n
}

var white = color.RGBA{255, 255, 255, 255}

// visitors listens on this machine and counts who calls: a page must not.
func visitors(t *testing.T) (address string, calls *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	calls = new(atomic.Int64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			calls.Add(1)
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return "http://" + l.Addr().String(), calls
}

// A report with every verdict and a subject that wants to be a page of its own,
// as a browser shows and prints it.
func TestHTMLReport(t *testing.T) {
	efgsta, err := buildBinary()
	if err != nil {
		t.Fatal(err)
	}
	address, calls := visitors(t)
	hostile := `</p><script>document.title="owned"</script><img src="` + address + `/i" onerror="document.title='owned'"><style>@import "` + address + `/s";</style>`
	weak := must(rsa.GenerateKey(rand.Reader, 2048))
	certs := t.TempDir()
	good := reported(t, p256Key(), x509.ExtKeyUsage(-1), "Health Agency")
	write(t, certs, "good.pem", good)
	write(t, certs, "weak.pem", reported(t, weak, x509.ExtKeyUsage(-1), hostile))
	write(t, certs, "unclear.pem", reported(t, p384Key(), x509.ExtKeyUsageCodeSigning, "Health Agency"))
	write(t, certs, "broken.pem", []byte("-----BEGIN CERTIFICATE-----\n"))
	page := filepath.Join(t.TempDir(), "report.html")
	if r := try(t, nil, efgsta, "check", "--country", "DE", "--format", "html", "-o", page, certs); r.code != 1 {
		t.Fatalf("check: exit %d\n%s", r.code, r.stderr)
	}
	text := string(read(t, page))
	for _, verdict := range []string{"accepted", "refused", "undecided"} {
		if !strings.Contains(text, `<span class="badge `+verdict+`">`) {
			t.Fatalf("nothing is %s\n%s", verdict, try(t, nil, efgsta, "check", "--country", "DE", certs).stdout)
		}
	}

	b := browse(t, page)
	t.Run("text stays text", func(t *testing.T) {
		if !strings.Contains(b.dom, "<title>Certificate check: ") || strings.Contains(b.dom, "<img") || strings.Contains(b.dom, "<script") || strings.Count(b.dom, "<style") != 1 {
			t.Errorf("the subject became a part of the page:\n%s", b.dom)
		}
		if shown := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(b.dom, "")); !strings.Contains(shown, `<script>document.title=`) {
			t.Errorf("the subject is not shown:\n%s", shown)
		}
		if n := calls.Load(); n != 0 {
			t.Errorf("the page asked the network %d times", n)
		}
	})
	t.Run("picture", func(t *testing.T) {
		if size := b.picture.Bounds().Size(); size != image.Pt(pageWidth, pageHeight) {
			t.Fatalf("the picture is %v", size)
		}
		n := colours(b.picture)
		all := pageWidth * pageHeight
		if ink := all - n[white]; len(n) < 50 || ink < all/100 || ink > all/3 {
			t.Errorf("%d colours, %d of %d pixels are not white: this is no page of text", len(n), ink, all)
		}
		for verdict, c := range map[string]color.RGBA{"accepted": {0x14, 0x64, 0x2f, 255}, "refused": {0xa3, 0x16, 0x21, 255}, "undecided": {0x7a, 0x4b, 0x00, 255}} {
			if n[c] < 100 { // the frame around the word alone is more
				t.Errorf("%s has %d pixels of its colour", verdict, n[c])
			}
		}
		for y := range pageHeight {
			for _, x := range []int{0, pageWidth - 1} {
				if color.RGBAModel.Convert(b.picture.At(x, y)) != color.Color(white) {
					t.Fatalf("something runs over the edge at %d,%d", x, y)
				}
			}
		}
	})
	t.Run("print", func(t *testing.T) {
		info := run(t, "pdfinfo", b.pdf)
		if m := regexp.MustCompile(`(?m)^Pages: +(\d+)$`).FindStringSubmatch(info); m == nil || len(m[1]) != 1 || m[1] < "2" {
			t.Errorf("a report of four files does not print on a few pages:\n%s", info)
		}
		if !regexp.MustCompile(`(?m)^Page size: +59[45].* x 84[12]`).MatchString(info) {
			t.Errorf("not A4:\n%s", info)
		}
		printed := strings.Join(strings.Fields(run(t, "pdftotext", "-layout", b.pdf, "-")), " ")
		for _, want := range []string{"1 accepted, 2 refused, 1 undecided", "RSA modulus has 2048 bits, at least 3000 required", "rsa_keygen_bits:3072", "What stands in the way"} {
			if !strings.Contains(printed, want) {
				t.Errorf("print lacks %q:\n%s", want, printed)
			}
		}
	})
	t.Run("tidy", func(t *testing.T) { tidy(t, page, 0) })
}

// The tests above can fail: a page that does what the subject wanted is noticed.
func TestHTMLReportControl(t *testing.T) {
	address, calls := visitors(t)
	dir := t.TempDir()
	page := write(t, dir, "control.html", []byte(`<!DOCTYPE html><html lang="en"><head><title>Certificate check: none</title></head><body><p>`+
		`<script>document.title="owned"</script><img src="`+address+`/i" alt="x"></body></html>`))
	b := browse(t, page)
	if !strings.Contains(b.dom, "<title>owned</title>") || calls.Load() == 0 {
		t.Errorf("no script ran or no picture was fetched (%d calls):\n%s", calls.Load(), b.dom)
	}
	if n := colours(b.picture); pageWidth*pageHeight-n[white] >= pageWidth*pageHeight/100 {
		t.Error("an empty page passes for one with text")
	}
	tidy(t, write(t, dir, "bad.html", []byte(`<!DOCTYPE html><html><head><title>x</title></head><body><p><b>x</p></body></html>`)), 1)
}

// tidy looks for what HTML does not allow: exit 1 is a warning, 2 an error.
func tidy(t *testing.T, page string, want int) {
	t.Helper()
	if r := try(t, nil, "tidy", "-q", "-e", "-utf8", page); r.code != want {
		t.Errorf("tidy: exit %d, want %d\n%s", r.code, want, r.stderr)
	}
}

// reported makes a certificate file for a report. A usage of -1 is none.
func reported(t *testing.T, key crypto.Signer, usage x509.ExtKeyUsage, organization string) []byte {
	t.Helper()
	attribute := func(last int, value string) pkix.RelativeDistinguishedNameSET {
		return pkix.RelativeDistinguishedNameSET{{Type: asn1.ObjectIdentifier{2, 5, 4, last}, Value: value}}
	}
	subject, err := asn1.Marshal(pkix.RDNSequence{attribute(6, "DE"), attribute(10, organization), attribute(11, "PKI"), attribute(3, "Batch signing DE")})
	if err != nil {
		t.Fatal(err)
	}
	from := time.Now().AddDate(0, 0, -10)
	template := &x509.Certificate{RawSubject: subject, NotBefore: from, NotAfter: from.AddDate(0, 0, 400), KeyUsage: x509.KeyUsageDigitalSignature}
	if usage >= 0 {
		template.ExtKeyUsage = []x509.ExtKeyUsage{usage}
	}
	for serial := must(rand.Prime(rand.Reader, 100)); ; serial.Add(serial, big.NewInt(1)) {
		template.SerialNumber = serial
		if c := selfSigned(t, template, key); c.Thumbprint().String()[:2] != "00" {
			return c.PEM()
		}
	}
}
