package der

// knownOID gives the object identifiers that nearly every certificate has without
// making a new string of each, and "" for all others.
func knownOID(content []byte) string {
	switch string(content) {
	case "\x55\x04\x03":
		return "2.5.4.3"
	case "\x55\x04\x06":
		return "2.5.4.6"
	case "\x55\x04\x07":
		return "2.5.4.7"
	case "\x55\x04\x08":
		return "2.5.4.8"
	case "\x55\x04\x0a":
		return "2.5.4.10"
	case "\x55\x04\x0b":
		return "2.5.4.11"
	case "\x55\x1d\x0e":
		return "2.5.29.14"
	case "\x55\x1d\x0f":
		return "2.5.29.15"
	case "\x55\x1d\x11":
		return "2.5.29.17"
	case "\x55\x1d\x13":
		return "2.5.29.19"
	case "\x55\x1d\x1f":
		return "2.5.29.31"
	case "\x55\x1d\x20":
		return "2.5.29.32"
	case "\x55\x1d\x23":
		return "2.5.29.35"
	case "\x55\x1d\x25":
		return "2.5.29.37"
	case "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01":
		return "1.2.840.113549.1.1.1"
	case "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b":
		return "1.2.840.113549.1.1.11"
	case "\x2a\x86\x48\xce\x3d\x02\x01":
		return "1.2.840.10045.2.1"
	case "\x2a\x86\x48\xce\x3d\x03\x01\x07":
		return "1.2.840.10045.3.1.7"
	case "\x2a\x86\x48\xce\x3d\x04\x03\x02":
		return "1.2.840.10045.4.3.2"
	case "\x2b\x06\x01\x05\x05\x07\x01\x01":
		return "1.3.6.1.5.5.7.1.1"
	case "\x2b\x06\x01\x05\x05\x07\x03\x01":
		return "1.3.6.1.5.5.7.3.1"
	case "\x2b\x06\x01\x05\x05\x07\x03\x02":
		return "1.3.6.1.5.5.7.3.2"
	}
	return ""
}
