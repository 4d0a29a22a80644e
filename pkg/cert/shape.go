package cert

// The shapes of texts that many formats share. They are checked by hand: compiled
// patterns would cost every run of the program their set-up.

// IsCountryCode reports whether s is two letters A to Z, the form of a country code.
func IsCountryCode(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}

// IsHexDigest reports whether s is a SHA-256 in lower-case hex.
func IsHexDigest(s string) bool {
	if len(s) != 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
