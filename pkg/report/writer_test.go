package report

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/efgsta/efgsta/pkg/vet"
)

// The forms without sums at their head come out with each result, not at the end.
func TestWriterStreams(t *testing.T) {
	c := sample(t)
	for _, format := range CheckFormats() {
		var b bytes.Buffer
		w, err := NewWriter(&b, format, c.Header, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Result(c.Results[0]); err != nil {
			t.Fatal(err)
		}
		late := format == "html" || format == "markdown" || format == "junit"
		if shown := strings.Contains(b.String(), "the subject has no e-mail address"); shown == late {
			t.Errorf("%s: after the first result there are %d bytes", format, b.Len())
		}
		w.Discard()
	}
}

// full takes so many bytes and then no more.
type full int

var errFull = errors.New("full")

func (f *full) Write(p []byte) (int, error) {
	if len(p) > int(*f) {
		return 0, errFull
	}
	*f -= full(len(p))
	return len(p), nil
}

// Whoever reads the report must not take a part for the whole: a write that fails is told.
func TestWriterFails(t *testing.T) {
	c := sample(t)
	for _, format := range CheckFormats() {
		size := len(write(t, c, format))
		for _, room := range []int{0, size / 2, size - 1} {
			f := full(room)
			if err := c.Write(&f, format, Options{}); !errors.Is(err, errFull) {
				t.Errorf("%s: %d of %d bytes: %v", format, room, size, err)
			}
		}
	}
}

func TestSpool(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var want bytes.Buffer
	var s spool
	for i := range 40 {
		part := bytes.Repeat([]byte{byte('a' + i%26)}, i*i*i)
		if i == 20 {
			part = bytes.Repeat([]byte("long"), spoolMemory/2)
		}
		want.Write(part)
		if n, err := s.Write(part); n != len(part) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		if s.memory.Len() > spoolMemory {
			t.Fatalf("%d bytes in memory", s.memory.Len())
		}
	}
	if s.file == nil {
		t.Fatal("all is in memory")
	}
	var got bytes.Buffer
	if err := s.copyTo(&got); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("%d bytes of %d come back, %v", got.Len(), want.Len(), err)
	}
	got.Reset()
	if err := s.copyTo(&got); err != nil || got.Len() != 0 {
		t.Errorf("afterwards it holds %d bytes, %v", got.Len(), err)
	}
	s.discard()
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	t.Setenv("TMPDIR", "/no/such/directory")
	if _, err := s.Write(make([]byte, 2*spoolMemory)); err == nil {
		t.Error("it writes to a directory that is not there")
	}
}

// A report that spills gives the same bytes as one that does not.
func TestManyResults(t *testing.T) {
	c := sample(t)
	part := c.Results
	for range 400 {
		c.Results = append(c.Results, part...)
	}
	for _, format := range CheckFormats() {
		text := write(t, c, format)
		switch format {
		case "junit":
			if n := bytes.Count(text, []byte("<testcase ")); n != len(c.Results)+1 || !bytes.Contains(text, []byte(`tests="2006" failures="1604"`)) {
				t.Errorf("JUnit: %d cases", n)
			}
		case "html":
			wellFormed(t, string(text))
			if n := bytes.Count(text, []byte("<section>")); n != len(c.Results) {
				t.Errorf("HTML: %d sections", n)
			}
		case "markdown":
			if n := bytes.Count(text, []byte("\n## ")); n != len(c.Results) {
				t.Errorf("Markdown: %d parts", n)
			}
		}
	}
}

func TestClip(t *testing.T) {
	for _, unit := range []string{"x", "é", "漢", "\x80"} {
		long := strings.Repeat(unit, maxText+1)
		got := clip(long)
		if len(got) > maxText+len("…") || !strings.HasSuffix(got, "…") || utf8.ValidString(long) && !utf8.ValidString(got) {
			t.Errorf("%q: %d bytes", unit, len(got))
		}
	}
	if s := strings.Repeat("x", maxText); clip(s) != s {
		t.Error("what is short enough is cut")
	}
}

// --within makes a renewal that is due fail, and nothing else.
func TestFailsRenewal(t *testing.T) {
	result := func(id, status string) *vet.Result {
		return &vet.Result{Verdict: vet.VerdictAccepted, Findings: []vet.Finding{{ID: id, Severity: "warning", Status: status}}}
	}
	for _, tc := range []struct {
		renewal    bool
		id, status string
		want       bool
	}{
		{false, vet.RuleRenewal, "fail", false},
		{true, vet.RuleRenewal, "fail", true},
		{true, vet.RuleRenewal, "waived", false},
		{true, "EFGS-207", "fail", false},
	} {
		if got := (Header{Renewal: tc.renewal}).Fails(result(tc.id, tc.status)); got != tc.want {
			t.Errorf("%+v: %v", tc, got)
		}
	}
}
