package policy

import (
	"errors"
	"fmt"

	"gopkg.in/yaml.v3"
)

// Mistake is one thing that is wrong in the YAML of a policy.
type Mistake struct {
	Line int    // from 1; 0 if it is about the whole
	Msg  string // lower case, names the field
	Next string // what to do; "" if the message says it
}

func (m Mistake) String() string {
	if m.Line > 0 {
		return fmt.Sprintf("line %d: %s", m.Line, m.Msg)
	}
	return m.Msg
}

// maxMistakes caps what is collected: nobody reads more.
const maxMistakes = 50

// invalid is what Parse returns: every mistake, in the order in which they were found.
type invalid struct{ mistakes []Mistake }

func (e *invalid) Error() string {
	text := ErrInvalid.Error() + ": " + e.mistakes[0].String()
	if n := len(e.mistakes) - 1; n > 0 {
		text += fmt.Sprintf(" (and %d more)", n)
	}
	return text
}

func (e *invalid) Unwrap() error { return ErrInvalid }

// Hint is what to do about the first mistake.
func (e *invalid) Hint() string { return e.mistakes[0].Next }

// Mistakes are what Parse found wrong, all of it; nil if err is not from Parse.
func Mistakes(err error) []Mistake {
	var e *invalid
	if !errors.As(err, &e) {
		return nil
	}
	return e.mistakes
}

// reader walks the tree of a policy and notes what is wrong on the way.
type reader struct{ mistakes []Mistake }

// wrong notes a mistake at n, which may be nil.
func (r *reader) wrong(n *yaml.Node, next, format string, args ...any) {
	line := 0
	if n != nil {
		line = n.Line
	}
	r.wrongAt(line, next, format, args...)
}

func (r *reader) wrongAt(line int, next, format string, args ...any) {
	if len(r.mistakes) < maxMistakes {
		r.mistakes = append(r.mistakes, Mistake{line, fmt.Sprintf(format, args...), next})
	}
}

func (r *reader) err() error {
	if len(r.mistakes) == 0 {
		return nil
	}
	return &invalid{r.mistakes}
}
