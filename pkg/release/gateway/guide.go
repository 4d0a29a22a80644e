package gateway

import (
	_ "embed" // the text of the guide
	"fmt"
	"strconv"
	"strings"
)

//go:embed import.md.tmpl
var importGuide string

// ImportGuide is IMPORT.md: how to import this release's mysql.sql, what the
// script answers, how to check the result, and when to restart.
func ImportGuide(im Import) []byte {
	return []byte(strings.NewReplacer(
		"{{list}}", im.ListID,
		"{{environment}}", im.Environment,
		"{{sequence}}", strconv.FormatUint(im.Sequence, 10),
		"{{sequence6}}", fmt.Sprintf("%06d", im.Sequence),
		"{{rows}}", strconv.Itoa(len(im.Rows)),
		"{{removed}}", strconv.Itoa(len(im.Removed)),
	).Replace(importGuide))
}
