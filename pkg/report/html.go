package report

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/efgsta/efgsta/pkg/vet"
)

// htmlStyle is all the page needs: no script, no font, no picture, nothing fetched.
const htmlStyle = `
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; color: #1c1f24; background: #fff; max-width: 60rem; margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 0 0 .6rem; overflow-wrap: anywhere; }
h3 { font-size: .95rem; margin: 1.1rem 0 .4rem; }
.mono { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .85em; overflow-wrap: anywhere; }
.quiet { color: #555c66; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid #dde1e6; overflow-wrap: anywhere; }
th { font-weight: 600; font-size: .85rem; color: #555c66; }
th, .nowrap { white-space: nowrap; }
td.mono { min-width: 11rem; }
section { border: 1px solid #cfd4da; border-radius: 6px; padding: 1rem 1.25rem; margin: 0 0 1.5rem; }
dl { display: grid; grid-template-columns: 9.5rem 1fr; gap: .15rem .75rem; margin: 0; }
dt { color: #555c66; }
dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
.badge { display: inline-block; border: 1px solid; border-radius: 4px; padding: 0 .45rem; font-size: .8rem; font-weight: 600; white-space: nowrap; }
.accepted { color: #14642f; } .refused, .error { color: #a31621; } .undecided, .warning { color: #7a4b00; }
h2 .badge { float: right; margin-left: 1rem; }
.finding { border-left: 4px solid #cfd4da; padding: .1rem 0 .1rem .8rem; margin: .7rem 0; color: #1c1f24; }
.finding.error { border-color: #a31621; } .finding.warning { border-color: #c98a1b; }
.finding p { margin: .15rem 0; }
.finding .word { font-weight: 600; }
.finding.error .word { color: #a31621; } .finding.warning .word { color: #7a4b00; }
ul { margin: .3rem 0; padding-left: 1.2rem; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } td.mono { min-width: 6rem; } }
@page { size: A4; margin: 18mm 16mm; }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 10.5pt; } section { border: 0; border-top: 1px solid #999; border-radius: 0; padding: .8rem 0 0; } .finding, tr, dl { break-inside: avoid; } h2, h3 { break-after: avoid; } }
`

// page writes HTML. Every argument is escaped; only the formats, which are
// constants of this file, hold markup. err is the first that a write met.
type page struct {
	w   io.Writer
	err error
}

func (p *page) put(format string, args ...string) {
	safe := make([]any, len(args))
	for i, a := range args {
		safe[i] = html.EscapeString(a)
	}
	if _, err := fmt.Fprintf(p.w, format+"\n", safe...); err != nil && p.err == nil {
		p.err = err
	}
}

// htmlForm writes the report as one page that can be filed and sent to the member
// state: every refusal with what the rule wants, its clause, why, and the fix. The
// sums stand first: the rows of the overview and the sections wait in spools.
type htmlForm struct {
	out            io.Writer
	header         Header
	rules          map[string]vet.Rule
	rows, sections spool
}

func newHTML(w io.Writer, h Header) *htmlForm {
	f := &htmlForm{out: w, header: h, rules: map[string]vet.Rule{}}
	for _, r := range vet.Rules() {
		f.rules[r.ID] = r
	}
	return f
}

func (f *htmlForm) result(e entry) error {
	row := &page{w: &f.rows}
	row.put(`<tr><td class="mono">%s</td><td class="nowrap">%s</td><td>%s</td><td>%s</td><td class="nowrap"><span class="badge %s">%s</span></td></tr>`,
		e.path(), e.role, e.country, e.subject, string(e.Verdict), string(e.Verdict))
	// One write for each section: the spool is no buffer.
	var b bytes.Buffer
	(&page{w: &b}).entry(e, f.rules)
	_, err := f.sections.Write(b.Bytes())
	return cmp.Or(row.err, err)
}

func (f *htmlForm) close(s totals) error {
	p := &page{w: f.out}
	pol := f.header.Policy
	p.put(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<meta name="referrer" content="no-referrer"/>
<title>Certificate check: %s</title>
<style>`+strings.ReplaceAll(htmlStyle, "%", "%%")+`</style>
</head>
<body>
<h1>Certificate check</h1>
<p><strong>%s</strong> · %s in %s · %s</p>`, s.headline(), s.headline(), count(s.Certificates, "certificate"), count(s.Files, "file"), f.header.judged())
	p.put(`<p class="quiet">Policy %s: %s. <span class="mono">sha256 %s</span></p>`, pol.Name, Escape(pol.Title), pol.SHA256)
	if text := f.header.departure(); text != "" {
		p.put(`<p class="quiet">Not the document to the letter: %s.</p>`, text)
	}
	if s.results > 1 { // a single one needs no overview
		p.put(`<table>
<thead><tr><th>File</th><th>Type</th><th>Country</th><th>Subject</th><th>Verdict</th></tr></thead>
<tbody>`)
		p.err = cmp.Or(p.err, f.rows.copyTo(f.out))
		p.put("</tbody>\n</table>")
	}
	p.err = cmp.Or(p.err, f.sections.copyTo(f.out))
	if s.Skipped > 0 {
		p.put(`<p class="quiet">%s skipped: they hold no certificate.</p>`, count(s.Skipped, "file"))
	}
	if f.header.Version != "" {
		p.put(`<p class="quiet">Made by efgsta %s.</p>`, f.header.Version)
	}
	p.put("</body>\n</html>")
	return p.err
}

func (f *htmlForm) discard() {
	f.rows.discard()
	f.sections.discard()
}

func (p *page) entry(e entry, rules map[string]vet.Rule) {
	p.put(`<section>
<h2><span class="badge %s">%s</span><span class="mono">%s</span></h2>
<dl>`, string(e.Verdict), string(e.Verdict), e.path())
	row := func(name, class, value string) {
		if value != "" {
			p.put(`<dt>%s</dt><dd class="%s">%s</dd>`, name, class, value)
		}
	}
	if e.sha256 != "" {
		kind := e.roleWord()
		if e.role != "" && e.RoleReason != "" {
			kind += ": " + Escape(e.RoleReason)
		}
		row("Type", "", kind)
		row("Country", "", e.country)
		row("Subject", "", e.subject)
		if crt := e.Certificate; !crt.NotBefore.IsZero() && !crt.NotAfter.IsZero() {
			row("Valid", "", crt.NotBefore.UTC().Format("2006-01-02")+" to "+crt.NotAfter.UTC().Format("2006-01-02"))
		}
		row("SHA-256", "mono", e.sha256)
		if len(e.Certificate.SPKI) > 0 {
			row("SHA-256 of the key", "mono", e.Certificate.SPKISHA256().String())
		}
	}
	row("Rules passed", "", fmt.Sprint(e.Passed))
	p.put("</dl>")
	if e.open != "" {
		p.put(`<div class="finding warning"><p><span class="word">no verdict:</span> %s</p></div>`, e.open)
	}
	p.group(e, "What stands in the way", rules, func(n note) bool { return n.stands })
	p.group(e, "What should be better", rules, func(n note) bool { return !n.stands && n.failed() })
	p.short(e, "Waived", func(n note) bool { return n.Status == vet.StatusWaived })
	p.short(e, "Not evaluated", func(n note) bool { return n.Status == vet.StatusNotEvaluated && !n.stands })
	p.put("</section>")
}

// group writes findings with all that the rule says.
func (p *page) group(e entry, title string, rules map[string]vet.Rule, want func(note) bool) {
	for _, n := range e.notes {
		if !want(n) {
			continue
		}
		if title != "" {
			p.put("<h3>%s</h3>", title)
			title = ""
		}
		class := n.Severity
		if !n.failed() {
			class = vet.SeverityWarning
		}
		text := n.text()
		if n.line > 0 {
			text = fmt.Sprintf("line %d: %s", n.line, text)
		}
		p.put(`<div class="finding %s">
<p><span class="word">%s:</span> <strong>%s</strong></p>`, class, n.word, text)
		rule := rules[n.ID]
		p.put(`<p class="quiet">%s %s · %s</p>`, n.ID, n.Name, n.Clause)
		if rule.Title != "" {
			p.put(`<p>Required: %s. <span class="quiet">Why: %s.</span></p>`, rule.Title, rule.Why)
		}
		if text := because(n.Finding); text != "" {
			p.put(`<p class="quiet">By the policy: %s.</p>`, text)
		}
		if n.Fix != "" {
			p.put(`<p>Fix: <span class="mono">%s</span></p>`, n.Fix)
		}
		p.put("</div>")
	}
}

// short writes findings in a line each.
func (p *page) short(e entry, title string, want func(note) bool) {
	open := false
	for _, n := range e.notes {
		if !want(n) {
			continue
		}
		if !open {
			p.put("<h3>%s</h3>\n<ul>", title)
			open = true
		}
		p.put(`<li>%s %s: %s <span class="quiet">%s</span></li>`, n.ID, n.Name, n.text(), n.Clause)
	}
	if open {
		p.put("</ul>")
	}
}
