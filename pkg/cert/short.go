package cert

// ShortHex is the first 16 digits of a hex digest, as file names and messages show it.
func ShortHex(hex string) string {
	if len(hex) <= 16 {
		return hex
	}
	return hex[:16]
}
