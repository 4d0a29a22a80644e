package report

import (
	"errors"
	"fmt"
	"io"
)

// ErrFormat marks a format that does not exist.
var ErrFormat = errors.New("unknown format")

// CheckFormats lists the formats of a Check by name, the default first.
func CheckFormats() []string {
	return []string{"table", "json", "sarif", "junit", "github", "markdown", "html"}
}

// Write writes the report in one of CheckFormats. Only the table looks at o.
func (c *Check) Write(w io.Writer, format string, o Options) error {
	switch format {
	case "table":
		return c.Table(w, o)
	case "json":
		return c.JSON(w)
	case "sarif":
		return c.SARIF(w)
	case "junit":
		return c.JUnit(w)
	case "github":
		return c.GitHub(w)
	case "markdown":
		return c.Markdown(w)
	case "html":
		return c.HTML(w)
	}
	return fmt.Errorf("%w %q", ErrFormat, format)
}
