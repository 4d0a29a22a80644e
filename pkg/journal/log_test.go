package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

func mustOpen(t *testing.T, path string, fn func(Event) error) (*Log, string) {
	t.Helper()
	l, note, err := Open(path, fn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, note
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	l, note := mustOpen(t, path, nil)
	if note != "" || l.Head() != (Head{}) {
		t.Fatalf("new journal: note %q, head %v", note, l.Head())
	}
	zone := time.FixedZone("x", 7200)
	var want []Event
	for i, data := range []any{nil, map[string]string{"a": "<&>\u2028\x1b"}, struct{ N []int }{[]int{1, 2}}, "text"} {
		e, err := l.Append(t0.Add(time.Duration(i)*700*time.Millisecond).In(zone), "Zoë", "t", data)
		if err != nil {
			t.Fatal(err)
		}
		if h := l.Head(); h.Seq != uint64(i+1) || h.Hash != e.Hash {
			t.Errorf("head %v after event %v", h, e)
		}
		want = append(want, e)
	}
	l.Close()
	var got []Event
	again, note := mustOpen(t, path, func(e Event) error { got = append(got, e); return nil })
	if note != "" || !reflect.DeepEqual(got, want) || again.Head() != l.Head() {
		t.Errorf("note %q\ngot  %v\nwant %v", note, got, want)
	}
	if !got[1].Time.Equal(t0) || got[1].Time.Location() != time.UTC {
		t.Errorf("time %v is not whole seconds in UTC", got[1].Time)
	}
}

func TestClock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	l, _ := mustOpen(t, path, nil)
	if _, err := l.Append(t0.Add(900*time.Millisecond), "a", "t", 1); err != nil {
		t.Fatal(err)
	}
	before := mustRead(t, path)
	for range 2 { // also after it was opened again
		_, err := l.Append(t0.Add(-time.Nanosecond), "a", "t", 2)
		var h interface{ Hint() string }
		if !errors.Is(err, ErrClock) || !errors.As(err, &h) {
			t.Errorf("an earlier time: %v", err)
		}
		l.Close()
		l, _ = mustOpen(t, path, nil)
	}
	if !bytes.Equal(mustRead(t, path), before) {
		t.Error("a refused event changed the journal")
	}
	if _, err := l.Append(t0, "a", "t", 2); err != nil {
		t.Errorf("the same second: %v", err)
	}
}

func TestAppendRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	l, _ := mustOpen(t, path, nil)
	for name, c := range map[string]struct {
		actor string
		at    time.Time
		data  any
	}{
		"too long":          {"a", t0, strings.Repeat("x", MaxLine)},
		"not JSON":          {"a", t0, func() {}},
		"year 10000":        {"a", t0.AddDate(8000, 0, 0), 1},
		"actor not UTF-8":   {"\xff", t0, 1},
		"data not UTF-8":    {"a", t0, rawText("\"\xff\"")},
		"data not one JSON": {"a", t0, rawText("1 2")},
	} {
		if _, err := l.Append(c.at, c.actor, "t", c.data); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if b := mustRead(t, path); len(b) != 0 || l.Head() != (Head{}) {
		t.Errorf("refused events left %q", b)
	}
}

type rawText string

func (r rawText) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// TestOpenAfterKill opens a journal cut at every byte, as a kill or a power loss may leave it.
func TestOpenAfterKill(t *testing.T) {
	good := small(t, 2)
	first := bytes.IndexByte(good, '\n') + 1
	dir := t.TempDir()
	for n := range len(good) + 1 {
		path := filepath.Join(dir, fmt.Sprint("j", n))
		if err := os.WriteFile(path, good[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		l, note := mustOpen(t, path, nil)
		var keep []byte // whole lines that must still be there
		var aside []byte
		switch {
		case n >= len(good)-1:
			keep = good
		case n >= first-1:
			keep, aside = good[:first], good[min(n, first):n]
		default:
			aside = good[:n]
		}
		if got := mustRead(t, path); !bytes.Equal(got, keep) {
			t.Fatalf("cut at %d: journal is %q, want %q", n, got, keep)
		}
		torn := fmt.Sprintf("%s.torn-%d", path, l.Head().Seq+1)
		if len(aside) > 0 {
			if got := mustRead(t, torn); !bytes.Equal(got, aside) || !strings.Contains(note, torn) {
				t.Fatalf("cut at %d: set aside %q, note %q", n, got, note)
			}
		} else if _, err := os.Stat(torn); err == nil {
			t.Fatalf("cut at %d: something was set aside", n)
		}
		if tidy := n == 0 || good[n-1] == '\n'; tidy != (note == "") {
			t.Fatalf("cut at %d: note %q", n, note)
		}
		if _, err := l.Append(t0.Add(time.Hour), "a", "t", 1); err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if head, torn, err := Replay(bytes.NewReader(mustRead(t, path)), nil); err != nil || torn != 0 || head != l.Head() {
			t.Fatalf("cut at %d: after the next event: %v, torn %d, %v", n, head, torn, err)
		}
		l.Close()
	}
}

func TestSetAsideKeepsEarlier(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	for i, name := range []string{path + ".torn-1", path + ".torn-1-2", path + ".torn-1-3"} {
		text := fmt.Sprint("half a line ", i)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l, _ := mustOpen(t, path, nil)
		l.Close()
		if got := string(mustRead(t, name)); got != text {
			t.Errorf("%s holds %q", name, got)
		}
	}
}

func TestOpenRefused(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := Open(dir, nil); err == nil {
		t.Error("a directory was opened")
	}
	if _, _, err := Open(filepath.Join(dir, "none", "j"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(pipe, nil); err == nil {
		t.Error("a pipe was opened")
	}

	bad := append(small(t, 1), "{}\n{\"half"...)
	path := filepath.Join(dir, "j")
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := Open(path, nil)
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("damaged: %v", err)
	}
	if !bytes.Equal(mustRead(t, path), bad) {
		t.Error("a damaged journal was changed")
	}
}

// faulty is a file whose disk fills up or fails, which no real file does on demand.
type faulty struct {
	*os.File
	room                   int // bytes that Write still takes
	syncErr, truncateError error
}

func (f *faulty) Write(b []byte) (int, error) {
	if len(b) <= f.room {
		return f.File.Write(b)
	}
	n, err := f.File.Write(b[:f.room])
	return n, errors.Join(err, syscall.ENOSPC)
}

func (f *faulty) Sync() error { return errors.Join(f.syncErr, f.File.Sync()) }

func (f *faulty) Truncate(n int64) error {
	if f.truncateError != nil {
		return f.truncateError
	}
	return f.File.Truncate(n)
}

func TestAppendDiskTrouble(t *testing.T) {
	open := func(t *testing.T) (string, *Log, *faulty, []byte) {
		path := filepath.Join(t.TempDir(), "j")
		if err := os.WriteFile(path, small(t, 2), 0o600); err != nil {
			t.Fatal(err)
		}
		l, _ := mustOpen(t, path, nil)
		f := &faulty{File: l.f.(*os.File), room: MaxLine}
		l.f = f
		return path, l, f, mustRead(t, path)
	}
	at := t0.Add(time.Hour)

	t.Run("disk full", func(t *testing.T) {
		path, l, f, before := open(t)
		head := l.Head()
		for room := range 40 {
			f.room = room
			if _, err := l.Append(at, "a", "t", 1); !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			if !bytes.Equal(mustRead(t, path), before) || l.Head() != head {
				t.Fatalf("%d bytes of room: the journal changed", room)
			}
		}
		f.room = MaxLine
		if _, err := l.Append(at, "a", "t", 1); err != nil {
			t.Errorf("with room again: %v", err)
		}
	})
	t.Run("disk full, no way back", func(t *testing.T) {
		path, l, f, before := open(t)
		f.room, f.truncateError = 10, errors.New("cannot truncate")
		if _, err := l.Append(at, "a", "t", 1); !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		f.room, f.truncateError = MaxLine, nil
		if _, err := l.Append(at, "a", "t", 1); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("written behind a torn line: %v", err)
		}
		again, note := mustOpen(t, path, nil)
		if note == "" || again.Head().Seq != 2 || !bytes.Equal(mustRead(t, path), before) {
			t.Errorf("opened again: note %q, head %v", note, again.Head())
		}
	})
	t.Run("fsync fails", func(t *testing.T) {
		path, l, f, before := open(t)
		f.syncErr = syscall.EIO
		if _, err := l.Append(at, "a", "t", 1); !errors.Is(err, syscall.EIO) {
			t.Fatal(err)
		}
		f.syncErr = nil
		if _, err := l.Append(at, "a", "t", 1); err == nil {
			t.Error("written after a failed fsync")
		}
		if l.Head().Seq != 2 || !bytes.Equal(mustRead(t, path), before) {
			t.Error("an event that was not acknowledged stays in the journal")
		}
	})
}
