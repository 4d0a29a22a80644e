package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"
)

// chain is what the next event must join on to.
type chain struct {
	head Head
	last time.Time
}

// join verifies that e follows, and moves the chain on to it.
func (c *chain) join(e Event) error {
	prev := c.head.Hash
	if c.head.Seq == 0 {
		prev = noPrev
	}
	switch {
	case e.Seq != c.head.Seq+1:
		return fmt.Errorf("seq is %d where %d must follow", e.Seq, c.head.Seq+1)
	case e.Prev != prev:
		return errors.New("prev is not the hash of the line before")
	case e.Time.Before(c.last):
		return fmt.Errorf("time %s is before that of the line before", e.Time.Format(time.RFC3339))
	}
	c.head, c.last = Head{Seq: e.Seq, Hash: e.Hash}, e.Time
	return nil
}

// replayed is everything that opening a journal for writing needs to know of it.
type replayed struct {
	chain
	torn       int  // bytes of a torn last line
	unfinished bool // the last event lacks its LF
}

// Replay reads events in order, verifies the chain and calls fn, unless it is nil,
// for each. A last line without LF that ends in its valid own hash is an event;
// one that does not is torn: it is not an event and not damage, and torn gives its
// length in bytes. It holds one line in memory and changes nothing.
//
// The error wraps ErrDamaged, or what fn or r returned; head is then the last
// event that verified and that fn took.
func Replay(r io.Reader, fn func(Event) error) (head Head, torn int, err error) {
	got, err := replay(r, fn)
	return got.head, got.torn, err
}

func replay(r io.Reader, fn func(Event) error) (replayed, error) {
	var got replayed
	lines := lineReader{r: bufio.NewReaderSize(r, 16<<10)}
	for n := 1; ; n++ {
		line, ended, err := lines.next()
		if err == io.EOF {
			return got, nil
		}
		if errors.Is(err, errLong) {
			return got, damaged(n, err)
		}
		if err != nil {
			return got, fmt.Errorf("line %d: %w", n, err)
		}
		if !ended && !ownHash(line) {
			got.torn = len(line)
			return got, nil
		}
		e, err := decode(line)
		if err != nil {
			return got, damaged(n, err)
		}
		next := got.chain
		if err := next.join(e); err != nil {
			return got, damaged(n, err)
		}
		if fn != nil {
			if err := fn(e); err != nil {
				return got, fmt.Errorf("line %d: %w", n, err)
			}
		}
		got.chain, got.unfinished = next, !ended
	}
}

func damaged(line int, err error) error {
	return &hinted{
		err:  fmt.Errorf("%w: line %d: %w", ErrDamaged, line, err),
		hint: "do not edit the journal; restore it from a backup and compare its head with the one in the last release",
	}
}

var errLong = fmt.Errorf("the line is longer than %d bytes", MaxLine)

// lineReader hands out lines of at most MaxLine bytes, LF included.
type lineReader struct {
	r   *bufio.Reader
	buf []byte
}

// next returns a line without its LF, and whether it had one. The line is good until the next call.
// io.EOF comes alone, after the last line.
func (l *lineReader) next() (line []byte, ended bool, err error) {
	l.buf = l.buf[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		if len(l.buf)+len(part) > MaxLine {
			return nil, false, errLong
		}
		l.buf = append(l.buf, part...)
		switch {
		case err == nil:
			return l.buf[:len(l.buf)-1], true, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case err == io.EOF && len(l.buf) > 0:
			return l.buf, false, nil
		default:
			return nil, false, err
		}
	}
}
