package gateway

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// ParseMySQL reads back what MySQL wrote; any other text is an error. It takes
// the values out and renders them again: only if that gives the same bytes is
// the script the one that this package writes, with nothing added.
func ParseMySQL(sql []byte) (Import, error) {
	if len(sql) > MaxImport {
		return Import{}, fmt.Errorf("SQL import has %d bytes, at most %d", len(sql), MaxImport)
	}
	im, err := scanMySQL(string(sql))
	if err != nil {
		return Import{}, fmt.Errorf("SQL import: %w", err)
	}
	again, err := MySQL(im)
	if err != nil {
		return Import{}, fmt.Errorf("SQL import: %w", err)
	}
	if !bytes.Equal(again, sql) {
		return Import{}, fmt.Errorf("SQL import is not the script that efgsta writes: %s", firstDifference(sql, again))
	}
	return im, nil
}

func scanMySQL(text string) (Import, error) {
	var im Import
	var err error
	s := scanner{rest: text}
	s.upTo("\n-- list: ")
	im.ListID = s.upTo("\n-- environment: ")
	im.Environment = s.upTo("\n-- sequence: ")
	sequence := s.upTo("\n-- created: ")
	created := s.upTo("\n-- rows: ")
	if s.missing != "" {
		return im, s.err()
	}
	if im.Sequence, err = strconv.ParseUint(sequence, 10, 64); err != nil {
		return im, fmt.Errorf("sequence: %w", err)
	}
	if im.CreatedAt, err = parseJSONTime(created); err != nil {
		return im, err
	}
	for s.skipPast(insertRow) {
		r, err := s.row()
		if err != nil {
			return im, err
		}
		im.Rows = append(im.Rows, r)
	}
	for s.skipPast(insertRemoved) {
		d, err := s.removed()
		if err != nil {
			return im, err
		}
		im.Removed = append(im.Removed, d)
	}
	return im, nil
}

// scanner walks through a text by its fixed parts. After the first part that is
// not there it gives empty strings.
type scanner struct {
	rest    string
	missing string
}

func (s *scanner) err() error {
	if s.missing == "" {
		return nil
	}
	return fmt.Errorf("%q is not where it belongs", s.missing)
}

// upTo returns the text before the next mark and goes past the mark.
func (s *scanner) upTo(mark string) string {
	before, after, ok := strings.Cut(s.rest, mark)
	if s.missing != "" || !ok {
		if s.missing == "" {
			s.missing = mark
		}
		return ""
	}
	s.rest = after
	return before
}

// skipPast goes past the next mark, or stays where it is and reports false.
func (s *scanner) skipPast(mark string) bool {
	_, after, ok := strings.Cut(s.rest, mark)
	if ok {
		s.rest = after
	}
	return ok
}

// tuple reads n quoted values: ('a', 'b');
func (s *scanner) tuple(n int) ([]string, error) {
	s.upTo("('")
	values := make([]string, n)
	for i := range n - 1 {
		values[i] = s.upTo("', '")
	}
	values[n-1] = s.upTo("');\n")
	return values, s.err()
}

func (s *scanner) row() (Row, error) {
	v, err := s.tuple(8)
	if err != nil {
		return Row{}, err
	}
	at, err := parseSQLTime(v[3])
	if err != nil {
		return Row{}, fmt.Errorf("row %q: %w", v[0], err)
	}
	return Row{CreatedAt: at, Thumbprint: v[0], Country: v[1], Type: v[2], Signature: v[6], RawData: v[7]}, nil
}

func (s *scanner) removed() (Removed, error) {
	v, err := s.tuple(4)
	if err != nil {
		return Removed{}, err
	}
	reason, err := decodeReason(v[3])
	if err != nil {
		return Removed{}, fmt.Errorf("removed certificate %q: %w", v[0], err)
	}
	return Removed{Thumbprint: v[0], Country: v[1], Type: v[2], Reason: reason}, nil
}

// firstDifference says in which line two texts part.
func firstDifference(got, want []byte) string {
	line := 1
	for i := 0; i < len(got) && i < len(want); i++ {
		if got[i] != want[i] {
			return fmt.Sprintf("it differs in line %d", line)
		}
		if got[i] == '\n' {
			line++
		}
	}
	return fmt.Sprintf("it ends differently, in line %d", line)
}
