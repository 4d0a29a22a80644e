package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// small is a journal of n events.
func small(t testing.TB, n int) []byte {
	t.Helper()
	var out []byte
	prev := noPrev
	for i := 1; i <= n; i++ {
		e := Event{Seq: uint64(i), Time: t0.Add(time.Duration(i/2) * time.Second), Actor: "Zoë <op>", Type: "member-added", Data: []byte(`{"c":"DE"}`), Prev: prev}
		line, err := encode(e)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decode(line)
		if err != nil {
			t.Fatal(err)
		}
		prev = back.Hash
		out = append(append(out, line...), '\n')
	}
	return out
}

// TestFormat holds the package comment's recipe for verifiers in other languages to literal bytes.
func TestFormat(t *testing.T) {
	const text = `{"seq":1,"time":"2026-03-01T09:00:00Z","actor":"Zoë <op>","type":"member-added","data":{"c":"DE"},"prev":"0000000000000000000000000000000000000000000000000000000000000000"}`
	sum := sha256.Sum256([]byte(text))
	want := text[:len(text)-1] + `,"hash":"` + hex.EncodeToString(sum[:]) + `"}` + "\n"
	if got := string(small(t, 1)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestReplayEveryByteCounts(t *testing.T) {
	good := small(t, 3)
	head, torn, err := Replay(bytes.NewReader(good), nil)
	if err != nil || torn != 0 || head.Seq != 3 {
		t.Fatalf("good journal: %v, torn %d, %v", head, torn, err)
	}
	third := bytes.LastIndexByte(good[:len(good)-1], '\n') + 1
	for _, text := range [][]byte{good, good[:len(good)-1]} {
		bad := bytes.Clone(text)
		for i, was := range text {
			// Only the last line may pass for torn; without its LF, the LF before belongs to it.
			last, before := third, uint64(2)
			if i == third-1 && len(text) < len(good) {
				last, before = bytes.IndexByte(good, '\n')+1, 1
			}
			for _, x := range []byte{1, 2, 4, 8, 16, 32, 64, 128, 255, was ^ '\n', was ^ '"', was ^ ' '} {
				if x == 0 {
					continue
				}
				bad[i] = was ^ x
				head, torn, err := Replay(bytes.NewReader(bad), nil)
				if err != nil {
					if !errors.Is(err, ErrDamaged) {
						t.Fatalf("byte %d: %v", i, err)
					}
					continue
				}
				if i < last-1 || head.Seq != before || torn != len(text)-last {
					t.Fatalf("byte %d changed from %q to %q: head %d, torn %d", i, was, bad[i], head.Seq, torn)
				}
			}
			bad[i] = was
		}
	}
}

func TestReplayTruncated(t *testing.T) {
	good := small(t, 3)
	for n := range good {
		cut := good[:n]
		whole := bytes.Count(cut, []byte("\n"))
		rest := n - (bytes.LastIndexByte(cut, '\n') + 1)
		if good[n] == '\n' { // only the LF is missing: the event is whole
			whole, rest = whole+1, 0
		}
		head, torn, err := Replay(bytes.NewReader(cut), nil)
		if err != nil || head.Seq != uint64(whole) || torn != rest {
			t.Fatalf("cut at %d: head %d torn %d err %v; want head %d torn %d", n, head.Seq, torn, err, whole, rest)
		}
	}
}

func TestReplayDamage(t *testing.T) {
	good := string(small(t, 4))
	lines := strings.SplitAfter(good, "\n")
	// rehash gives a line that is right in itself, as a forger would make it.
	rehash := func(line, from, to string) string {
		if !strings.Contains(line, from) {
			t.Fatalf("%q is not in %q", from, line)
		}
		line = strings.Replace(line, from, to, 1)
		text := line[:strings.LastIndex(line, hashOpen)]
		sum := sha256.Sum256([]byte(text + "}"))
		return text + hashOpen + hex.EncodeToString(sum[:]) + hashClose + "\n"
	}
	for name, c := range map[string]struct{ text, want string }{
		"line left out":        {lines[0] + lines[2], "line 2: seq is 3 where 2 must follow"},
		"line twice":           {lines[0] + lines[0], "line 2: seq is 1"},
		"lines swapped":        {lines[0] + lines[2] + lines[1], "line 2"},
		"first left out":       {lines[1], "line 1: seq is 2"},
		"empty line":           {lines[0] + "\n" + lines[1], "line 2"},
		"empty line at end":    {good + "\n", "line 5"},
		"CRLF":                 {strings.ReplaceAll(good, "\n", "\r\n"), "line 1"},
		"other prev":           {lines[0] + rehash(lines[1], `"prev":"`, `"prev":"0`), "line 2: prev"},
		"first with a prev":    {rehash(lines[0], `"prev":"0`, `"prev":"1`), "line 1: prev"},
		"rewritten":            {rehash(lines[0], `"DE"`, `"FR"`) + lines[1], "line 2: prev"},
		"time goes back":       {lines[0] + rehash(lines[1], "09:00:01", "08:59:59"), "line 2: time"},
		"fraction of a second": {rehash(lines[0], "00Z", "00.5Z"), "canonical"},
		"offset":               {rehash(lines[0], "00Z", "00+00:00"), "canonical"},
		"white space":          {rehash(lines[0], `{"c":`, `{"c": `), "canonical"},
		"unknown member":       {rehash(lines[0], `"actor"`, `"x":1,"actor"`), "canonical"},
		"member twice":         {rehash(lines[0], `"actor"`, `"actor":"a","actor"`), "canonical"},
		"other case":           {rehash(lines[0], `"actor"`, `"Actor"`), "canonical"},
		"escaped otherwise":    {rehash(lines[0], "member", `\u006dember`), "canonical"},
		"not UTF-8":            {rehash(lines[0], `"DE"`, "\"\xff\""), "UTF-8"},
		"not JSON":             {rehash(lines[0], `"seq":1`, `"seq":`), "not an event"},
		"upper-case hash":      {strings.ToUpper(lines[0]), "own hash"},
		"a byte order mark":    {"\xef\xbb\xbf" + good, "line 1"},
		"unfinished, bad seq":  {lines[0] + strings.TrimSuffix(lines[2], "\n"), "line 2: seq"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Replay(strings.NewReader(c.text), nil)
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			var h interface{ Hint() string }
			if !errors.As(err, &h) || h.Hint() == "" {
				t.Error("no hint")
			}
		})
	}
}

func TestReplayLineLength(t *testing.T) {
	fill := func(n int) string {
		e := Event{Seq: 1, Time: t0, Data: []byte(`""`), Prev: noPrev}
		line, err := encode(e)
		if err != nil {
			t.Fatal(err)
		}
		e.Data = []byte(`"` + strings.Repeat("a", n-len(line)-1) + `"`)
		if line, err = encode(e); err != nil || len(line)+1 != n {
			t.Fatal(len(line), err)
		}
		return string(line) + "\n"
	}
	if head, _, err := Replay(strings.NewReader(fill(MaxLine)), nil); err != nil || head.Seq != 1 {
		t.Errorf("line of MaxLine: %v", err)
	}
	if _, _, err := Replay(strings.NewReader(fill(MaxLine+1)), nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("line of MaxLine+1: %v", err)
	}
	if _, _, err := Replay(endless{}, nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("endless line: %v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte("x"), len(p))), nil }

func TestReplayErrors(t *testing.T) {
	good := small(t, 3)
	stop := errors.New("stop")
	head, _, err := Replay(bytes.NewReader(good), func(e Event) error {
		if e.Seq == 2 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || errors.Is(err, ErrDamaged) || head.Seq != 1 {
		t.Errorf("fn error: head %d, %v", head.Seq, err)
	}
	broken := io.MultiReader(bytes.NewReader(good[:100]), failing{stop})
	if _, torn, err := Replay(broken, nil); !errors.Is(err, stop) || errors.Is(err, ErrDamaged) || torn != 0 {
		t.Errorf("read error: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// FuzzReplay: whatever is accepted is, byte for byte, what the encoder writes.
func FuzzReplay(f *testing.F) {
	good := small(f, 3)
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(good[:len(good)-40])
	f.Add([]byte("\n"))
	f.Add([]byte(fmt.Sprintf("{}%s%s%s\n", hashOpen, noPrev, hashClose)))
	f.Fuzz(func(t *testing.T, text []byte) {
		var again []byte
		_, torn, err := Replay(bytes.NewReader(text), func(e Event) error {
			line, err := encode(e)
			if err != nil {
				t.Fatal(err)
			}
			again = append(append(again, line...), '\n')
			return nil
		})
		if err != nil {
			return
		}
		if torn > 0 {
			text = text[:len(text)-torn]
		} else if n := len(text); n > 0 && text[n-1] != '\n' {
			text = append(bytes.Clone(text), '\n')
		}
		if !bytes.Equal(again, text) {
			t.Fatalf("accepted %q, which would be written as %q", text, again)
		}
	})
}
