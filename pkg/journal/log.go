package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// file is what a Log needs of an *os.File opened with O_APPEND.
type file interface {
	io.WriteCloser
	Sync() error
	Truncate(size int64) error
}

// Log is an open journal. It is not safe for concurrent use; the workspace lock guards it.
type Log struct {
	f      file
	size   int64
	chain  chain
	broken error // why nothing more may be written before the journal is opened again
}

// Open replays the file at path (created if absent), sets a torn last line aside
// in a file beside it (path + ".torn-<seq>", the seq it would have had; "-2" and
// so on is added when that name is taken) and says so in the returned note ("" if
// none). A last event without LF gets it, and a note too.
func Open(path string, fn func(Event) error) (log *Log, note string, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, "", err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, "", err
	}
	if !info.Mode().IsRegular() {
		return nil, "", fmt.Errorf("%s: not a regular file", path)
	}
	got, err := replay(f, fn)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	l := &Log{f: f, size: info.Size(), chain: got.chain}
	switch {
	case got.torn > 0:
		l.size -= int64(got.torn)
		note, err = l.setAside(path, f, got.torn)
	case got.unfinished:
		err = l.write([]byte("\n"))
		note = fmt.Sprintf("%s: event %d was complete but for its line end; it is kept", path, got.head.Seq)
	default:
		// Whoever wrote the last event may have been killed before its fsync.
		err = f.Sync()
	}
	if err == nil && l.size == 0 {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	return l, note, nil
}

// setAside copies the torn bytes after l.size to a file of their own, and only then cuts them off.
func (l *Log) setAside(path string, r io.ReaderAt, torn int) (note string, err error) {
	b := make([]byte, torn)
	if _, err := r.ReadAt(b, l.size); err != nil {
		return "", err
	}
	name, err := writeNew(fmt.Sprintf("%s.torn-%d", path, l.chain.head.Seq+1), b)
	if err != nil {
		return "", err
	}
	if err := l.cut(); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: the last line was never finished; its %d bytes were moved to %s, and the journal ends with event %d",
		path, torn, name, l.chain.head.Seq), nil
}

// Head returns the last acknowledged event.
func (l *Log) Head() Head { return l.chain.head }

// Append writes one event and returns after fsync. Data is marshalled as JSON;
// at is cut to whole seconds. An at before the last event's time is ErrClock.
// After an error the event is not in the journal; when even that cannot be made
// sure, Append refuses until the journal is opened again.
func (l *Log) Append(at time.Time, actor, typ string, data any) (Event, error) {
	if l.broken != nil {
		return Event{}, fmt.Errorf("journal must be opened again after a failed write: %w", l.broken)
	}
	raw, err := marshal(data)
	if err != nil {
		return Event{}, fmt.Errorf("event %s: %w", typ, err)
	}
	e := Event{Seq: l.chain.head.Seq + 1, Time: wholeSecond(at), Actor: actor, Type: typ, Data: raw, Prev: l.chain.head.Hash}
	if l.chain.head.Seq == 0 {
		e.Prev = noPrev
	}
	if e.Time.Before(l.chain.last) {
		return Event{}, &hinted{
			err:  fmt.Errorf("%w: it says %s, the last event is of %s", ErrClock, e.Time.Format(time.RFC3339), l.chain.last.Format(time.RFC3339)),
			hint: "set this machine's clock (UTC), then try again",
		}
	}
	line, err := encode(e)
	if err != nil {
		return Event{}, fmt.Errorf("event %s: %w", typ, err)
	}
	if len(line)+1 > MaxLine {
		return Event{}, fmt.Errorf("event %s: %w", typ, errLong)
	}
	// What is written must replay, and as what the caller meant.
	back, err := decode(line)
	if err != nil {
		return Event{}, fmt.Errorf("event %s: %w", typ, err)
	}
	if back.Actor != actor || back.Type != typ {
		return Event{}, fmt.Errorf("event %q: actor or type is not UTF-8", typ)
	}
	next := l.chain
	if err := next.join(back); err != nil {
		return Event{}, fmt.Errorf("event %s: %w", typ, err)
	}
	if err := l.write(append(line, '\n')); err != nil {
		return Event{}, fmt.Errorf("event %s: %w", typ, err)
	}
	l.chain = next
	return back, nil
}

// write adds b at the end and waits for the disk, or leaves the file as it was.
func (l *Log) write(b []byte) error {
	_, err := l.f.Write(b)
	if err != nil {
		if cut := l.cut(); cut != nil {
			l.broken = errors.Join(err, cut)
			return l.broken
		}
		return err
	}
	if err := l.f.Sync(); err != nil {
		// After a failed fsync nobody can tell what reached the disk.
		l.broken = errors.Join(err, l.cut())
		return l.broken
	}
	l.size += int64(len(b))
	return nil
}

// cut takes off whatever stands after the last acknowledged event.
func (l *Log) cut() error {
	if err := l.f.Truncate(l.size); err != nil {
		return err
	}
	return l.f.Sync()
}

// Close closes the file.
func (l *Log) Close() error { return l.f.Close() }

// writeNew writes b, durably, to a file that was not there: name, or name-2, name-3 …
// when taken.
func writeNew(name string, b []byte) (string, error) {
	for n, try := 2, name; ; n++ {
		f, err := os.OpenFile(try, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			try = fmt.Sprintf("%s-%d", name, n)
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = f.Write(b)
		if err == nil {
			err = f.Sync()
		}
		if e := f.Close(); err == nil {
			err = e
		}
		if err == nil {
			err = syncDir(filepath.Dir(name))
		}
		if err != nil {
			return "", errors.Join(err, os.Remove(try))
		}
		return try, nil
	}
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if e := d.Close(); err == nil {
		err = e
	}
	return err
}
