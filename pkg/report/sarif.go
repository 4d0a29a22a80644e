package report

import (
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/efgsta/efgsta/pkg/vet"
)

// sarifSchema is where platforms look for the schema; nothing here opens it.
const sarifSchema = "https://json.schemastore.org/sarif-2.1.0.json"

// sarifBegin is the run up to its results.
type sarifBegin struct {
	Tool sarifTool `json:"tool"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version,omitempty"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string        `json:"id"`
	Name             string        `json:"name"`
	ShortDescription sarifText     `json:"shortDescription"`
	FullDescription  sarifText     `json:"fullDescription"`
	Help             sarifText     `json:"help"`
	Configuration    sarifSetting  `json:"defaultConfiguration"`
	Properties       sarifRuleTags `json:"properties"`
}

type sarifSetting struct {
	Enabled bool   `json:"enabled"`
	Level   string `json:"level"`
}

type sarifRuleTags struct {
	Clause string     `json:"clause"`
	Types  []vet.Role `json:"types"`
}

type sarifText struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifNotice struct {
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Kind         string            `json:"kind"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints,omitempty"`
	Properties   map[string]string `json:"properties"`
}

type sarifLocation struct {
	Physical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region *sarifRegion `json:"region,omitempty"`
	} `json:"physicalLocation"`
}

type sarifRegion struct {
	StartLine int `json:"startLine"`
}

// sarif writes SARIF 2.1.0. A rule without its evidence is a result of kind
// "open": 3.27.9 has that for "insufficient information to decide", while
// "notApplicable" would say that the rule is not about this certificate. A waived
// finding is no result. A certificate whose type is unknown has no rule to blame:
// it is a notification about the configuration, and waits until the results are out.
type sarif struct {
	w       io.Writer
	header  Header
	index   map[string]int // of the rules
	results jsonList
	waiting spool
	notices jsonList
}

func newSARIF(w io.Writer, h Header) *sarif {
	f := &sarif{w: w, header: h, index: map[string]int{}, results: jsonList{w: w, indent: "        ", flat: true}}
	f.notices = jsonList{w: &f.waiting, indent: "            "}
	return f
}

func (f *sarif) begin() error {
	if f.results.began {
		return nil
	}
	driver := sarifDriver{Name: "efgsta", Version: f.header.Version}
	for i, r := range vet.Rules() {
		f.index[r.ID] = i
		driver.Rules = append(driver.Rules, f.header.sarifRule(r))
	}
	var head struct {
		Schema  string        `json:"$schema"`
		Version string        `json:"version"`
		Runs    [1]sarifBegin `json:"runs"`
	}
	head.Schema, head.Version, head.Runs[0].Tool.Driver = sarifSchema, "2.1.0", driver
	if err := openJSON(f.w, "", head, "\n    }\n  ]\n}"); err != nil {
		return err
	}
	return f.results.begin("results")
}

func (f *sarif) result(e entry) error {
	if err := f.begin(); err != nil {
		return err
	}
	nth := map[string]int{} // findings of one rule on one certificate are counted
	for _, n := range e.notes {
		if n.Status == vet.StatusWaived {
			continue
		}
		nth[n.ID]++
		if err := f.results.add(e.sarifResult(n, f.index[n.ID], nth[n.ID])); err != nil {
			return err
		}
	}
	if e.open == "" {
		return nil
	}
	if !f.notices.began {
		if err := f.notices.begin("toolConfigurationNotifications"); err != nil {
			return err
		}
	}
	return f.notices.add(sarifNotice{
		Level: "error", Message: sarifText{Text: sarifPlain("no verdict on " + e.label() + ": " + e.open)}, Locations: e.sarifLocations(0),
	})
}

func (f *sarif) close(s totals) error {
	if err := f.begin(); err != nil {
		return err
	}
	if err := f.results.end(); err != nil {
		return err
	}
	if _, err := io.WriteString(f.w, ",\n      \"invocations\": [\n        {\n          \"executionSuccessful\": true"); err != nil {
		return err
	}
	if f.notices.began {
		if err := f.notices.end(); err != nil {
			return err
		}
	}
	if err := f.waiting.copyTo(f.w); err != nil {
		return err
	}
	if _, err := io.WriteString(f.w, "\n        }\n      ],\n      \"properties\": "); err != nil {
		return err
	}
	properties := map[string]string{}
	for _, p := range f.header.basis() {
		properties[p[0]] = p[1]
	}
	if text := s.skipped(); text != "" {
		properties["skipped"] = text
	}
	if err := encodeJSON(f.w, "      ", properties); err != nil {
		return err
	}
	_, err := io.WriteString(f.w, "\n    }\n  ]\n}\n")
	return err
}

func (f *sarif) discard() { f.waiting.discard() }

func (h Header) sarifRule(r vet.Rule) sarifRule {
	level := strictest(h.Policy.Rules[r.ID])
	s := sarifRule{
		ID: r.ID, Name: r.Name,
		ShortDescription: sarifText{Text: sarifPlain(upperFirst(r.Title) + ".")},
		FullDescription:  sarifText{Text: sarifPlain(upperFirst(r.Title) + ". " + upperFirst(r.Why) + ".")},
		Configuration:    sarifSetting{Enabled: level != "off", Level: sarifLevel(level)},
		Properties:       sarifRuleTags{Clause: r.Clause, Types: r.Roles},
	}
	var text, md []string
	for _, row := range [][2]string{{"Clause", r.Clause}, {"Why", r.Why}, {"Fix", r.Fix}, {"Good", r.Good}, {"Bad", r.Bad}} {
		text = append(text, row[0]+": "+row[1])
		md = append(md, "- **"+row[0]+":** "+markdownText(row[1]))
	}
	s.Help = sarifText{
		Text:     sarifPlain(upperFirst(r.Title) + ".\n" + strings.Join(text, "\n")),
		Markdown: sarifBraces(upperFirst(markdownText(r.Title)) + ".\n\n" + strings.Join(md, "\n") + "\n"),
	}
	return s
}

func (e entry) sarifResult(n note, rule, nth int) sarifResult {
	r := sarifResult{
		RuleID: n.ID, RuleIndex: rule, Kind: "fail", Level: sarifLevel(n.Severity),
		Message:    sarifText{Text: sarifPlain(e.label() + ": " + n.text())},
		Locations:  e.sarifLocations(n.line),
		Properties: map[string]string{"clause": n.Clause, "verdict": string(e.Verdict)},
	}
	if n.Fix != "" {
		r.Properties["fix"] = n.Fix
	}
	if text := because(n.Finding); text != "" {
		r.Properties["deviation"] = text
	}
	if !n.failed() {
		r.Kind, r.Level = "open", "none" // 3.27.10: none is the only level of what is not a failure
	}
	if e.sha256 != "" {
		// GitHub tells alerts apart by primaryLocationLineHash; left out, it would hash
		// lines of base64. Neither may hang on a message that counts days.
		r.Fingerprints = map[string]string{
			"certificateSha256/v1":    e.sha256,
			"primaryLocationLineHash": fmt.Sprintf("%s:%d", e.sha256[:16], nth),
		}
	}
	return r
}

func (e entry) sarifLocations(line int) []sarifLocation {
	var l sarifLocation
	l.Physical.Artifact.URI = uriReference(e.file)
	if line > 0 {
		l.Physical.Region = &sarifRegion{StartLine: line}
	}
	return []sarifLocation{l}
}

func sarifLevel(severity string) string {
	switch severity {
	case vet.SeverityError, vet.SeverityWarning:
		return severity
	case vet.SeverityNotice:
		return "note"
	}
	return "none"
}

// sarifPlain makes text a plain text message: braces would be placeholders
// (3.11.5), and a bracket before a parenthesis would be a link (3.11.6).
func sarifPlain(s string) string { return strings.ReplaceAll(sarifBraces(s), "](", "] (") }

func sarifBraces(s string) string { return strings.NewReplacer("{", "{{", "}", "}}").Replace(s) }

// uriReference is a file's name as RFC 3986 wants it: relative with forward slashes
// where the name is relative, file:// where it is not. Any byte survives.
func uriReference(name string) string {
	name = path.Clean(filepath.ToSlash(name))
	prefix := ""
	switch {
	case strings.HasPrefix(name, "/"):
		prefix = "file://"
	case filepath.VolumeName(filepath.FromSlash(name)) != "":
		prefix = "file:///"
	}
	var b strings.Builder
	b.WriteString(prefix)
	for i := range len(name) {
		if c := name[i]; slices.Contains([]byte("-._~/"), c) || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
