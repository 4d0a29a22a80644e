package journal

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// BenchmarkReplay holds the replay of 10,000 events against hashing and decoding the
// same bytes with the standard library; the bar is a ratio of 2. Both run alternately,
// and the best of each counts: what else the machine does is not the journal's fault.
func BenchmarkReplay(b *testing.B) {
	text := submissions(b, 10_000)
	replayed := func() {
		if head, _, err := Replay(bytes.NewReader(text), nil); err != nil || head.Seq != 10_000 {
			b.Fatal(head, err)
		}
	}
	decoded := func() {
		lines := bufio.NewScanner(bytes.NewReader(text))
		lines.Buffer(nil, MaxLine)
		for lines.Scan() {
			var e Event
			sha256.Sum256(lines.Bytes())
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				b.Fatal(err)
			}
		}
	}
	best := map[string]time.Duration{}
	timed := func(name string, f func()) {
		start := time.Now()
		f()
		if took := time.Since(start); best[name] == 0 || took < best[name] {
			best[name] = took
		}
	}
	for b.Loop() {
		for range 10 {
			timed("decode", decoded)
			timed("replay", replayed)
		}
	}
	b.ReportMetric(float64(best["decode"].Microseconds())/1000, "ms/decode")
	b.ReportMetric(float64(best["replay"].Microseconds())/1000, "ms/replay")
	b.ReportMetric(float64(best["replay"])/float64(best["decode"]), "replay/decode(best)")
	b.ReportMetric(0, "ns/op")
}

// submissions is a journal of n events as long as those that submit makes.
func submissions(tb testing.TB, n int) []byte {
	tb.Helper()
	sum := strings.Repeat("0123456789abcdef", 4)
	data := fmt.Sprintf(`{"country":"DE","confirmedBy":"phone","certificates":[{"type":"nbbs","sha256":%q,"subject":"C=DE, O=Health, CN=efgs.example.eu","file":"nbbs.pem","fileSha256":%[1]q,"fileKept":true,"chosen":"only","verdict":"accepted","policySha256":%[1]q,"failed":[],"notEvaluated":["EFGS-502","EFGS-508","EFGS-905","EFGS-906"]}]}`, sum)
	var out []byte
	prev := noPrev
	for i := 1; i <= n; i++ {
		line, err := encode(Event{Seq: uint64(i), Time: t0, Actor: "operator", Type: "submission.received", Data: []byte(data), Prev: prev})
		if err != nil {
			tb.Fatal(err)
		}
		prev = string(line[len(line)-len(hashClose)-hexLen : len(line)-len(hashClose)])
		out = append(append(out, line...), '\n')
	}
	return out
}
