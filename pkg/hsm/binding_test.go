//go:build cgo

package hsm

import (
	"errors"
	"testing"

	"github.com/miekg/pkcs11"
)

// Our constants are those of the header that the binding was made from.
func TestConstantsAreTheHeaders(t *testing.T) {
	for _, c := range []struct{ ours, theirs uint }{
		{ckoPublicKey, pkcs11.CKO_PUBLIC_KEY}, {ckoPrivateKey, pkcs11.CKO_PRIVATE_KEY},
		{ckkRSA, pkcs11.CKK_RSA}, {ckkEC, pkcs11.CKK_EC},
		{ckaClass, pkcs11.CKA_CLASS}, {ckaToken, pkcs11.CKA_TOKEN}, {ckaPrivate, pkcs11.CKA_PRIVATE}, {ckaLabel, pkcs11.CKA_LABEL},
		{ckaKeyType, pkcs11.CKA_KEY_TYPE}, {ckaID, pkcs11.CKA_ID}, {ckaSensitive, pkcs11.CKA_SENSITIVE}, {ckaEncrypt, pkcs11.CKA_ENCRYPT},
		{ckaDecrypt, pkcs11.CKA_DECRYPT}, {ckaWrap, pkcs11.CKA_WRAP}, {ckaUnwrap, pkcs11.CKA_UNWRAP}, {ckaSign, pkcs11.CKA_SIGN},
		{ckaSignRecover, pkcs11.CKA_SIGN_RECOVER}, {ckaVerify, pkcs11.CKA_VERIFY}, {ckaDerive, pkcs11.CKA_DERIVE},
		{ckaModulus, pkcs11.CKA_MODULUS}, {ckaModulusBits, pkcs11.CKA_MODULUS_BITS}, {ckaPublicExponent, pkcs11.CKA_PUBLIC_EXPONENT},
		{ckaExtractable, pkcs11.CKA_EXTRACTABLE}, {ckaLocal, pkcs11.CKA_LOCAL}, {ckaNeverExtractable, pkcs11.CKA_NEVER_EXTRACTABLE},
		{ckaAlwaysSensitive, pkcs11.CKA_ALWAYS_SENSITIVE}, {ckaModifiable, pkcs11.CKA_MODIFIABLE}, {ckaCopyable, pkcs11.CKA_COPYABLE},
		{ckaECParams, pkcs11.CKA_EC_PARAMS}, {ckaECPoint, pkcs11.CKA_EC_POINT}, {ckaAlwaysAuthenticate, pkcs11.CKA_ALWAYS_AUTHENTICATE},
		{ckmRSAKeyPairGen, pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN}, {ckmRSAPKCS, pkcs11.CKM_RSA_PKCS}, {ckmRSAPKCSPSS, pkcs11.CKM_RSA_PKCS_PSS},
		{ckmSHA256, pkcs11.CKM_SHA256}, {ckmSHA384, pkcs11.CKM_SHA384}, {ckmSHA512, pkcs11.CKM_SHA512},
		{ckmECKeyPairGen, pkcs11.CKM_EC_KEY_PAIR_GEN}, {ckmECDSA, pkcs11.CKM_ECDSA},
		{ckmSHA256RSAPKCS, pkcs11.CKM_SHA256_RSA_PKCS}, {ckmSHA384RSAPKCS, pkcs11.CKM_SHA384_RSA_PKCS}, {ckmSHA512RSAPKCS, pkcs11.CKM_SHA512_RSA_PKCS},
		{ckmSHA256RSAPKCSPSS, pkcs11.CKM_SHA256_RSA_PKCS_PSS}, {ckmSHA384RSAPKCSPSS, pkcs11.CKM_SHA384_RSA_PKCS_PSS}, {ckmSHA512RSAPKCSPSS, pkcs11.CKM_SHA512_RSA_PKCS_PSS},
		{ckmECDSASHA256, pkcs11.CKM_ECDSA_SHA256}, {ckmECDSASHA384, pkcs11.CKM_ECDSA_SHA384}, {ckmECDSASHA512, pkcs11.CKM_ECDSA_SHA512},
		{ckfSign, pkcs11.CKF_SIGN}, {ckfGenerateKeyPair, pkcs11.CKF_GENERATE_KEY_PAIR}, {ckfWriteProtected, pkcs11.CKF_WRITE_PROTECTED},
		{ckfLoginRequired, pkcs11.CKF_LOGIN_REQUIRED}, {ckfUserPINInitialized, pkcs11.CKF_USER_PIN_INITIALIZED},
		{ckgMGF1SHA256, pkcs11.CKG_MGF1_SHA256}, {ckgMGF1SHA384, pkcs11.CKG_MGF1_SHA384}, {ckgMGF1SHA512, pkcs11.CKG_MGF1_SHA512},
		{ckuUser, pkcs11.CKU_USER}, {ckuContextSpecific, pkcs11.CKU_CONTEXT_SPECIFIC},
		{ckfProtectedAuthenticationPath, pkcs11.CKF_PROTECTED_AUTHENTICATION_PATH}, {ckfTokenInitialized, pkcs11.CKF_TOKEN_INITIALIZED},
		{ckfUserPINCountLow, pkcs11.CKF_USER_PIN_COUNT_LOW}, {ckfUserPINFinalTry, pkcs11.CKF_USER_PIN_FINAL_TRY}, {ckfUserPINLocked, pkcs11.CKF_USER_PIN_LOCKED},
	} {
		if c.ours != c.theirs {
			t.Errorf("0x%X should be 0x%X", c.ours, c.theirs)
		}
	}
	for r := rv(1); r < 0x300; r++ {
		if name := r.name(); name != "" {
			theirs := pkcs11.Error(r).Error()
			if known := theirs[len(theirs)-1] != ' '; known && r.Error() != theirs[len(theirs)-len(r.Error()):] {
				t.Errorf("%v should be %s", r, theirs)
			}
		}
	}
}

func TestErrorsOfTheBindingBecomeOurs(t *testing.T) {
	if err := result(nil); err != nil {
		t.Errorf("nil became %v", err)
	}
	if err := result(pkcs11.Error(pkcs11.CKR_PIN_LOCKED)); !errors.Is(err, ckrPINLocked) {
		t.Errorf("PIN_LOCKED became %v", err)
	}
}
