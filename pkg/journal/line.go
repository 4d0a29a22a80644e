package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

const (
	hexLen    = 2 * sha256.Size
	hashOpen  = `,"hash":"`
	hashClose = `"}`
	tailLen   = len(hashOpen) + hexLen + len(hashClose)
)

var errOwnHash = errors.New("the line's own hash does not match its text")

// marshal is compact JSON that leaves <, > and & as they are.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// wholeSecond is the resolution of the journal.
func wholeSecond(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// hashed returns what the hash of the event is over: the line without the hash. It is
// what encoding/json writes for these members, put together by hand because every
// replay makes it again for every line.
func hashed(e Event) ([]byte, error) {
	t := wholeSecond(e.Time)
	if y := t.Year(); y < 0 || y > 9999 {
		return nil, fmt.Errorf("the year %d has no four digits", y)
	}
	b := bytes.NewBuffer(make([]byte, 0, 256+len(e.Data)))
	b.WriteString(`{"seq":`)
	b.Write(strconv.AppendUint(b.AvailableBuffer(), e.Seq, 10))
	b.WriteString(`,"time":"`)
	b.Write(t.AppendFormat(b.AvailableBuffer(), time.RFC3339))
	b.WriteByte('"')
	for _, m := range []struct{ name, text string }{{"actor", e.Actor}, {"type", e.Type}} {
		b.WriteString(`,"` + m.name + `":`)
		if err := writeString(b, m.text); err != nil {
			return nil, err
		}
	}
	b.WriteString(`,"data":`)
	if len(e.Data) == 0 {
		b.WriteString("null")
	} else if err := json.Compact(b, e.Data); err != nil {
		return nil, err
	}
	b.WriteString(`,"prev":`)
	if err := writeString(b, e.Prev); err != nil {
		return nil, err
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// writeString writes a JSON string.
func writeString(b *bytes.Buffer, s string) error {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			text, err := marshal(s)
			b.Write(text)
			return err
		}
	}
	b.WriteByte('"')
	b.WriteString(s)
	b.WriteByte('"')
	return nil
}

// encode returns the one line, without LF, that stands for the event; its hash is made here.
func encode(e Event) ([]byte, error) {
	line, err := hashed(e)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(line)
	line = append(line[:len(line)-1], hashOpen...)
	line = hex.AppendEncode(line, sum[:])
	return append(line, hashClose...), nil
}

// ownHash reports whether the line, without LF, ends in the hash of the rest of it.
func ownHash(line []byte) bool {
	if len(line) < tailLen {
		return false
	}
	head, tail := line[:len(line)-tailLen], line[len(line)-tailLen:]
	h := sha256.New()
	h.Write(head)
	h.Write([]byte("}"))
	return string(tail) == hashOpen+hex.EncodeToString(h.Sum(nil))+hashClose
}

// decode reads a line, without LF. It takes only the bytes that encode would write.
func decode(line []byte) (Event, error) {
	if !ownHash(line) {
		return Event{}, errOwnHash
	}
	if !utf8.Valid(line) {
		return Event{}, errors.New("the line is not UTF-8")
	}
	var e Event
	if err := json.Unmarshal(line, &e); err != nil {
		return Event{}, fmt.Errorf("the line is not an event: %w", err)
	}
	again, err := hashed(e)
	if err != nil {
		return Event{}, fmt.Errorf("the line is not an event: %w", err)
	}
	// The rest of the line is its hash, which holds already.
	if !bytes.Equal(again[:len(again)-1], line[:len(line)-tailLen]) {
		return Event{}, errors.New("the line is not in canonical form")
	}
	e.Time = wholeSecond(e.Time)
	return e, nil
}
