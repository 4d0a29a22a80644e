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

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool         `json:"tool"`
	Invocations []sarifInvocation `json:"invocations"`
	Results     []sarifResult     `json:"results"`
	Properties  map[string]string `json:"properties"`
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

type sarifInvocation struct {
	Successful    bool          `json:"executionSuccessful"`
	Notifications []sarifNotice `json:"toolConfigurationNotifications,omitempty"`
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

// SARIF writes the report as SARIF 2.1.0. A rule without its evidence is a result
// of kind "open": 3.27.9 has that for "insufficient information to decide", while
// "notApplicable" would say that the rule is not about this certificate. A waived
// finding is no result. A certificate whose type is unknown has no rule to blame:
// it is a notification about the configuration.
func (c *Check) SARIF(w io.Writer) error {
	rules := vet.Rules()
	index := map[string]int{}
	run := sarifRun{
		Tool:        sarifTool{sarifDriver{Name: "efgsta", Version: c.Version}},
		Invocations: []sarifInvocation{{Successful: true}},
		Results:     []sarifResult{},
		Properties:  map[string]string{},
	}
	for _, p := range c.basis() {
		run.Properties[p[0]] = p[1]
	}
	for i, r := range rules {
		index[r.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, c.sarifRule(r))
	}
	for _, e := range c.entries() {
		nth := map[string]int{} // findings of one rule on one certificate are counted
		for _, n := range e.notes {
			if n.Status == vet.StatusWaived {
				continue
			}
			nth[n.ID]++
			run.Results = append(run.Results, e.sarifResult(n, index[n.ID], nth[n.ID]))
		}
		if e.open != "" {
			inv := &run.Invocations[0]
			inv.Notifications = append(inv.Notifications, sarifNotice{
				Level: "error", Message: sarifText{Text: sarifPlain("no verdict on " + e.label() + ": " + e.open)}, Locations: e.sarifLocations(0),
			})
		}
	}
	return writeJSON(w, sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

func (c *Check) sarifRule(r vet.Rule) sarifRule {
	level := strictest(c.Policy.Rules[r.ID])
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
