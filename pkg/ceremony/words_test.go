package ceremony

import (
	"slices"
	"strings"
	"testing"
)

// The example that the word list was published with.
func TestWordsGolden(t *testing.T) {
	digest := strings.ToLower(strings.ReplaceAll("E582 94F2 E9A2 2748 6E8B 061B 31CC 528F D7FA 3F19", " ", ""))
	want := strings.Fields("topmost istanbul pluto vagabond treadmill pacific brackish dictator goldfish medusa afflict bravado chatter revolver dupont midsummer stopwatch whimsical cowbell bottomless")
	if got := Words(digest, 20); !slices.Equal(got, want) {
		t.Errorf("Words = %q, want %q", got, want)
	}
	if got := Words(digest, 8); !slices.Equal(got, want[:8]) {
		t.Errorf("8 words: %q", got)
	}
	if got := Words(digest, 100); len(got) != 20 {
		t.Errorf("%d words of 20 bytes", len(got))
	}
	if Words("xyz", 8) != nil {
		t.Error("words of what is no digest")
	}
}

// 256 words each, none twice, in the alphabet, and none in both lists: a byte has
// one word at an even place and another at an odd one.
func TestWordLists(t *testing.T) {
	seen := map[string]bool{}
	for name, list := range map[string]string{"even": evenWords, "odd": oddWords} {
		words := strings.Fields(list)
		if len(words) != 256 {
			t.Errorf("%s: %d words", name, len(words))
		}
		for _, w := range words {
			if seen[w] || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") != "" {
				t.Errorf("%s: %q is there twice, or is not of lower-case letters", name, w)
			}
			seen[w] = true
		}
	}
}

func TestSameWords(t *testing.T) {
	words := []string{"topmost", "istanbul"}
	for typed, want := range map[string]bool{
		"topmost istanbul": true, "  Topmost\t ISTANBUL\n": true,
		"istanbul topmost": false, "topmost": false, "topmost istanbul pluto": false, "topmostistanbul": false, "": false,
	} {
		if SameWords(typed, words) != want {
			t.Errorf("%q: want %v", typed, want)
		}
	}
	if SameWords("", nil) {
		t.Error("nothing typed confirms nothing")
	}
}
