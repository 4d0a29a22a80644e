package der

import (
	"encoding/asn1"
	"testing"
)

// What knownOID gives is what decoding gives; of each arc that it has some numbers
// are tried that it does not have.
func TestKnownOIDs(t *testing.T) {
	var tried []asn1.ObjectIdentifier
	for n := range 64 {
		for _, arc := range [][]int{{2, 5, 4}, {2, 5, 29}, {1, 2, 840, 113549, 1, 1}, {1, 2, 840, 10045, 2}, {1, 2, 840, 10045, 3, 1}, {1, 2, 840, 10045, 4, 3}, {1, 3, 6, 1, 5, 5, 7, 1}, {1, 3, 6, 1, 5, 5, 7, 3}} {
			tried = append(tried, append(asn1.ObjectIdentifier(arc), n))
		}
	}
	known := 0
	for _, want := range tried {
		der, err := asn1.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if name := knownOID(der[2:]); name != "" {
			known++
		}
		got, err := Element{Tag: TagOID, Content: der[2:]}.OID()
		if err != nil || got != want.String() {
			t.Errorf("%x is %s, %v; want %s", der[2:], got, err, want)
		}
	}
	if known != 22 {
		t.Errorf("%d known identifiers were tried, not all 22", known)
	}
}
