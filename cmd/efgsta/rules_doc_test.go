package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

// docs/rules.md is what `efgsta rules --format markdown` writes.
func TestRulesDocument(t *testing.T) {
	p, err := policy.Load(policy.Default)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := (&report.Rules{Policy: p, Rules: vet.Rules()}).Markdown(&want); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("docs/rules.md is out of date: go run ./cmd/efgsta rules --format markdown > docs/rules.md")
	}
}
