package sigalg

// curves lists the named curves of SEC 2, X9.62, RFC 5639, WAP, ANSSI and
// GM/T 0003. It is never written.
var curves = []Curve{
	{Name: "secp112r1", OID: "1.3.132.0.6", OrderBits: 112},
	{Name: "secp112r2", OID: "1.3.132.0.7", OrderBits: 110},
	{Name: "secp128r1", OID: "1.3.132.0.28", OrderBits: 128},
	{Name: "secp128r2", OID: "1.3.132.0.29", OrderBits: 126},
	{Name: "secp160k1", OID: "1.3.132.0.9", OrderBits: 161},
	{Name: "secp160r1", OID: "1.3.132.0.8", OrderBits: 161},
	{Name: "secp160r2", OID: "1.3.132.0.30", OrderBits: 161},
	{Name: "secp192k1", OID: "1.3.132.0.31", OrderBits: 192},
	{Name: "secp224k1", OID: "1.3.132.0.32", OrderBits: 225},
	{Name: "P-224", OID: "1.3.132.0.33", OrderBits: 224},
	{Name: "secp256k1", OID: "1.3.132.0.10", OrderBits: 256},
	{Name: "P-384", OID: "1.3.132.0.34", OrderBits: 384},
	{Name: "P-521", OID: "1.3.132.0.35", OrderBits: 521},
	{Name: "P-192", OID: "1.2.840.10045.3.1.1", OrderBits: 192},
	{Name: "prime192v2", OID: "1.2.840.10045.3.1.2", OrderBits: 192},
	{Name: "prime192v3", OID: "1.2.840.10045.3.1.3", OrderBits: 192},
	{Name: "prime239v1", OID: "1.2.840.10045.3.1.4", OrderBits: 239},
	{Name: "prime239v2", OID: "1.2.840.10045.3.1.5", OrderBits: 239},
	{Name: "prime239v3", OID: "1.2.840.10045.3.1.6", OrderBits: 239},
	{Name: "P-256", OID: "1.2.840.10045.3.1.7", OrderBits: 256},
	{Name: "sect113r1", OID: "1.3.132.0.4", OrderBits: 113, Binary: true},
	{Name: "sect113r2", OID: "1.3.132.0.5", OrderBits: 113, Binary: true},
	{Name: "sect131r1", OID: "1.3.132.0.22", OrderBits: 131, Binary: true},
	{Name: "sect131r2", OID: "1.3.132.0.23", OrderBits: 131, Binary: true},
	{Name: "sect163k1", OID: "1.3.132.0.1", OrderBits: 163, Binary: true},
	{Name: "sect163r1", OID: "1.3.132.0.2", OrderBits: 162, Binary: true},
	{Name: "sect163r2", OID: "1.3.132.0.15", OrderBits: 163, Binary: true},
	{Name: "sect193r1", OID: "1.3.132.0.24", OrderBits: 193, Binary: true},
	{Name: "sect193r2", OID: "1.3.132.0.25", OrderBits: 193, Binary: true},
	{Name: "sect233k1", OID: "1.3.132.0.26", OrderBits: 232, Binary: true},
	{Name: "sect233r1", OID: "1.3.132.0.27", OrderBits: 233, Binary: true},
	{Name: "sect239k1", OID: "1.3.132.0.3", OrderBits: 238, Binary: true},
	{Name: "sect283k1", OID: "1.3.132.0.16", OrderBits: 281, Binary: true},
	{Name: "sect283r1", OID: "1.3.132.0.17", OrderBits: 282, Binary: true},
	{Name: "sect409k1", OID: "1.3.132.0.36", OrderBits: 407, Binary: true},
	{Name: "sect409r1", OID: "1.3.132.0.37", OrderBits: 409, Binary: true},
	{Name: "sect571k1", OID: "1.3.132.0.38", OrderBits: 570, Binary: true},
	{Name: "sect571r1", OID: "1.3.132.0.39", OrderBits: 570, Binary: true},
	{Name: "c2pnb163v1", OID: "1.2.840.10045.3.0.1", OrderBits: 163, Binary: true},
	{Name: "c2pnb163v2", OID: "1.2.840.10045.3.0.2", OrderBits: 162, Binary: true},
	{Name: "c2pnb163v3", OID: "1.2.840.10045.3.0.3", OrderBits: 162, Binary: true},
	{Name: "c2pnb176v1", OID: "1.2.840.10045.3.0.4", OrderBits: 161, Binary: true},
	{Name: "c2tnb191v1", OID: "1.2.840.10045.3.0.5", OrderBits: 191, Binary: true},
	{Name: "c2tnb191v2", OID: "1.2.840.10045.3.0.6", OrderBits: 190, Binary: true},
	{Name: "c2tnb191v3", OID: "1.2.840.10045.3.0.7", OrderBits: 189, Binary: true},
	{Name: "c2pnb208w1", OID: "1.2.840.10045.3.0.10", OrderBits: 193, Binary: true},
	{Name: "c2tnb239v1", OID: "1.2.840.10045.3.0.11", OrderBits: 238, Binary: true},
	{Name: "c2tnb239v2", OID: "1.2.840.10045.3.0.12", OrderBits: 237, Binary: true},
	{Name: "c2tnb239v3", OID: "1.2.840.10045.3.0.13", OrderBits: 236, Binary: true},
	{Name: "c2pnb272w1", OID: "1.2.840.10045.3.0.16", OrderBits: 257, Binary: true},
	{Name: "c2pnb304w1", OID: "1.2.840.10045.3.0.17", OrderBits: 289, Binary: true},
	{Name: "c2tnb359v1", OID: "1.2.840.10045.3.0.18", OrderBits: 353, Binary: true},
	{Name: "c2pnb368w1", OID: "1.2.840.10045.3.0.19", OrderBits: 353, Binary: true},
	{Name: "c2tnb431r1", OID: "1.2.840.10045.3.0.20", OrderBits: 418, Binary: true},
	{Name: "wap-wsg-idm-ecid-wtls1", OID: "2.23.43.1.4.1", OrderBits: 112, Binary: true},
	{Name: "wap-wsg-idm-ecid-wtls3", OID: "2.23.43.1.4.3", OrderBits: 163, Binary: true},
	{Name: "wap-wsg-idm-ecid-wtls4", OID: "2.23.43.1.4.4", OrderBits: 113, Binary: true},
	{Name: "wap-wsg-idm-ecid-wtls5", OID: "2.23.43.1.4.5", OrderBits: 163, Binary: true},
	{Name: "wap-wsg-idm-ecid-wtls6", OID: "2.23.43.1.4.6", OrderBits: 112},
	{Name: "wap-wsg-idm-ecid-wtls7", OID: "2.23.43.1.4.7", OrderBits: 161},
	{Name: "wap-wsg-idm-ecid-wtls8", OID: "2.23.43.1.4.8", OrderBits: 113},
	{Name: "wap-wsg-idm-ecid-wtls9", OID: "2.23.43.1.4.9", OrderBits: 161},
	{Name: "wap-wsg-idm-ecid-wtls10", OID: "2.23.43.1.4.10", OrderBits: 232, Binary: true},
	{Name: "wap-wsg-idm-ecid-wtls11", OID: "2.23.43.1.4.11", OrderBits: 233, Binary: true},
	{Name: "wap-wsg-idm-ecid-wtls12", OID: "2.23.43.1.4.12", OrderBits: 224},
	{Name: "brainpoolP160r1", OID: "1.3.36.3.3.2.8.1.1.1", OrderBits: 160},
	{Name: "brainpoolP160t1", OID: "1.3.36.3.3.2.8.1.1.2", OrderBits: 160},
	{Name: "brainpoolP192r1", OID: "1.3.36.3.3.2.8.1.1.3", OrderBits: 192},
	{Name: "brainpoolP192t1", OID: "1.3.36.3.3.2.8.1.1.4", OrderBits: 192},
	{Name: "brainpoolP224r1", OID: "1.3.36.3.3.2.8.1.1.5", OrderBits: 224},
	{Name: "brainpoolP224t1", OID: "1.3.36.3.3.2.8.1.1.6", OrderBits: 224},
	{Name: "brainpoolP256r1", OID: "1.3.36.3.3.2.8.1.1.7", OrderBits: 256},
	{Name: "brainpoolP256t1", OID: "1.3.36.3.3.2.8.1.1.8", OrderBits: 256},
	{Name: "brainpoolP320r1", OID: "1.3.36.3.3.2.8.1.1.9", OrderBits: 320},
	{Name: "brainpoolP320t1", OID: "1.3.36.3.3.2.8.1.1.10", OrderBits: 320},
	{Name: "brainpoolP384r1", OID: "1.3.36.3.3.2.8.1.1.11", OrderBits: 384},
	{Name: "brainpoolP384t1", OID: "1.3.36.3.3.2.8.1.1.12", OrderBits: 384},
	{Name: "brainpoolP512r1", OID: "1.3.36.3.3.2.8.1.1.13", OrderBits: 512},
	{Name: "brainpoolP512t1", OID: "1.3.36.3.3.2.8.1.1.14", OrderBits: 512},
	{Name: "SM2", OID: "1.2.156.10197.1.301", OrderBits: 256},
	{Name: "FRP256v1", OID: "1.2.250.1.223.101.256.1", OrderBits: 256},
}

// curveByOID returns a copy of the curve's entry, or nil.
func curveByOID(oid string) *Curve { return findCurve(func(c *Curve) bool { return c.OID == oid }) }

// curveByName returns a copy of the curve's entry, or nil.
func curveByName(name string) *Curve { return findCurve(func(c *Curve) bool { return c.Name == name }) }

func findCurve(match func(*Curve) bool) *Curve {
	for i := range curves {
		if match(&curves[i]) {
			c := curves[i]
			return &c
		}
	}
	return nil
}
