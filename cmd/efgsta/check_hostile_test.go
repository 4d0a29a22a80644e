package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/report"
)

// What a report about one file may cost, whatever the file holds. Time is that of the
// processor, so that a busy machine changes nothing.
const (
	mostTime   = 5 * time.Second
	mostReport = 64 << 20 // bytes
)

// length counts what is written.
type length int

func (n *length) Write(p []byte) (int, error) {
	*n += length(len(p))
	return len(p), nil
}

// TestHostileSizes: files made to have as many verdicts, or as much to say, as
// possible end soon, in a report that can be opened, with exit 1.
func TestHostileSizes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name string, parts ...string) string {
		name = filepath.Join(dir, name)
		write(t, name, strings.Join(parts, ""), 0o600)
		return name
	}
	const begin, end = "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n"
	elements := file("elements.der", strings.Repeat("\x30\x03\x02\x01\x05", 60000))
	markers := file("markers.pem", strings.Repeat(begin, 500000))
	blocks := file("blocks.pem", strings.Repeat(begin+"MAMCAQU=\n"+end, 100000))
	requests := file("requests.pem", strings.Repeat(strings.ReplaceAll(begin+"MAMCAQU=\n"+end, "CERTIFICATE", "CERTIFICATE REQUEST"), 100000))
	type try struct{ file, format string }
	tries := []try{{markers, "sarif"}, {markers, "html"}, {blocks, "json"}, {requests, "table"}}
	for _, format := range report.CheckFormats() {
		tries = append(tries, try{elements, format})
	}
	for _, tc := range tries {
		var out length
		c := command(t, "check", "--format", tc.format, tc.file)
		c.Stdout = &out
		what := fmt.Sprintf("%s as %s", filepath.Base(tc.file), tc.format)
		if code := exitOf(t, c.Run()); code != exitNo {
			t.Errorf("%s: exit %d", what, code)
		}
		took := c.ProcessState.UserTime() + c.ProcessState.SystemTime()
		if took > mostTime || out > mostReport {
			t.Errorf("%s: %s, %d bytes", what, took, out)
		}
		t.Logf("%s: %s, %d bytes", what, took, out)
	}
}
