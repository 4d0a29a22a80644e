package hsm

// module is what this package needs of a PKCS#11 library: few calls, no binding
// types, so that the paths no software token can show (a locked PIN, a PIN pad, a
// token pulled out) can be driven by a script. Errors of the library are rv.
type module interface {
	initialize(args string) error
	finalize() error
	slots() ([]uint, error) // those with a token
	token(slot uint) (token, error)
	mechanisms(slot uint) ([]uint, error)
	mechanismInfo(slot, mechanism uint) (mechanismInfo, error)
	openSession(slot uint, readWrite bool) (session, error)
	closeSession(s session) error
	login(s session, user uint, pin []byte) error // an empty pin: the token asks itself
	logout(s session) error
	find(s session, template []attribute) ([]object, error) // all of them; the search is ended
	attribute(s session, o object, typ uint) ([]byte, error)
	signInit(s session, m mechanism, key object) error
	sign(s session, data []byte) ([]byte, error)
	generateKeyPair(s session, mechanism uint, public, private []attribute) (pub, priv object, err error)
	destroy(s session, o object) error
}

type (
	session uint
	object  uint
)

// attribute is one CK_ATTRIBUTE; value is a bool, uint, string or []byte.
type attribute struct {
	typ   uint
	value any
}

// mechanism is one CK_MECHANISM; pss is its parameter for CKM_RSA_PKCS_PSS.
type mechanism struct {
	typ uint
	pss *pssParams
}

type pssParams struct{ hash, mgf, salt uint }

// token is what CK_TOKEN_INFO says, padding removed.
type token struct {
	label, serial, manufacturer, model string
	flags                              uint
	minPIN, maxPIN                     uint // bytes
}

// Values of the PKCS#11 2.40 header that this package uses, under its names.
const (
	ckoPublicKey  uint = 2
	ckoPrivateKey uint = 3

	ckkRSA uint = 0
	ckkEC  uint = 3

	ckaClass              uint = 0x000
	ckaToken              uint = 0x001
	ckaPrivate            uint = 0x002
	ckaLabel              uint = 0x003
	ckaKeyType            uint = 0x100
	ckaID                 uint = 0x102
	ckaSensitive          uint = 0x103
	ckaEncrypt            uint = 0x104
	ckaDecrypt            uint = 0x105
	ckaWrap               uint = 0x106
	ckaUnwrap             uint = 0x107
	ckaSign               uint = 0x108
	ckaSignRecover        uint = 0x109
	ckaVerify             uint = 0x10A
	ckaDerive             uint = 0x10C
	ckaModulus            uint = 0x120
	ckaModulusBits        uint = 0x121
	ckaPublicExponent     uint = 0x122
	ckaExtractable        uint = 0x162
	ckaLocal              uint = 0x163
	ckaNeverExtractable   uint = 0x164
	ckaAlwaysSensitive    uint = 0x165
	ckaModifiable         uint = 0x170
	ckaCopyable           uint = 0x171
	ckaECParams           uint = 0x180
	ckaECPoint            uint = 0x181
	ckaAlwaysAuthenticate uint = 0x202

	ckmRSAKeyPairGen    uint = 0x0000
	ckmRSAPKCS          uint = 0x0001
	ckmRSAPKCSPSS       uint = 0x000D
	ckmSHA256RSAPKCS    uint = 0x0040
	ckmSHA384RSAPKCS    uint = 0x0041
	ckmSHA512RSAPKCS    uint = 0x0042
	ckmSHA256RSAPKCSPSS uint = 0x0043
	ckmSHA384RSAPKCSPSS uint = 0x0044
	ckmSHA512RSAPKCSPSS uint = 0x0045
	ckmECDSASHA256      uint = 0x1044
	ckmECDSASHA384      uint = 0x1045
	ckmECDSASHA512      uint = 0x1046
	ckmSHA256           uint = 0x0250
	ckmSHA384           uint = 0x0260
	ckmSHA512           uint = 0x0270
	ckmECKeyPairGen     uint = 0x1040
	ckmECDSA            uint = 0x1041

	ckgMGF1SHA256 uint = 2
	ckgMGF1SHA384 uint = 3
	ckgMGF1SHA512 uint = 4

	ckuUser            uint = 1
	ckuContextSpecific uint = 2

	ckfSign            uint = 0x00000800
	ckfGenerateKeyPair uint = 0x00010000

	ckfWriteProtected              uint = 0x00000002
	ckfLoginRequired               uint = 0x00000004
	ckfProtectedAuthenticationPath uint = 0x00000100
	ckfTokenInitialized            uint = 0x00000400
	ckfUserPINInitialized          uint = 0x00000008
	ckfUserPINCountLow             uint = 0x00010000
	ckfUserPINFinalTry             uint = 0x00020000
	ckfUserPINLocked               uint = 0x00040000

	ckUnavailableInformation = ^uint(0)
)
