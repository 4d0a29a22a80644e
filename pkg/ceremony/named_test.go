package ceremony

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// Two thumbprints with the same beginning are told apart by all of them only.
func TestNamedIsUnambiguous(t *testing.T) {
	one, two := strings.Repeat("ab", 32), strings.Repeat("ab", 31)+"cd"
	lacking := []KeptOut{{SHA256: one}, {SHA256: two}}
	if _, err := named([]string{one[:16]})(lacking); !errors.Is(err, ErrDrop) || !strings.Contains(err.Error(), "2 certificates") {
		t.Errorf("a part of both: %v", err)
	}
	if got, err := named([]string{two})(lacking); err != nil || !slices.Equal(got, []string{two}) {
		t.Errorf("%q, %v", got, err)
	}
}
