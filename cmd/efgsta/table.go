package main

import (
	"bytes"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/efgsta/efgsta/pkg/report"
)

// table prints rows in aligned columns without lines. Cells must be escaped.
func (a *app) table(header []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	off := tw.Off
	var b bytes.Buffer
	t := tablewriter.NewTable(&b,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Symbols:  tw.NewSymbols(tw.StyleASCII),
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		})),
		tablewriter.WithConfig(tablewriter.Config{
			Header: tw.CellConfig{Formatting: tw.CellFormatting{AutoFormat: off, AutoWrap: tw.WrapNone}, Alignment: tw.CellAlignment{Global: tw.AlignLeft}},
			Row:    tw.CellConfig{Formatting: tw.CellFormatting{AutoWrap: tw.WrapNone}, Alignment: tw.CellAlignment{Global: tw.AlignLeft}},
		}),
		// The same output in every locale.
		tablewriter.WithEastAsian(false),
	)
	t.Header(header)
	for _, r := range rows {
		if err := t.Append(r); err != nil {
			a.notef("warning: %v", err)
		}
	}
	if err := t.Render(); err != nil {
		a.notef("warning: %v", err)
	}
	for line := range strings.Lines(b.String()) {
		a.printf("%s\n", strings.TrimRight(line, " \n"))
	}
}

// reportOptions are how a report is shown on this stdout.
func (a *app) reportOptions() report.Options {
	return report.Options{Width: a.width(), Colour: a.colour()}
}
