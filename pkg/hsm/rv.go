package hsm

import "fmt"

// rv is a CK_RV other than CKR_OK. The binding names only those of an old
// header and prints "pkcs11: 0x1B: " for the rest.
type rv uint

const (
	ckrSlotIDInvalid              rv = 0x003
	ckrGeneralError               rv = 0x005
	ckrFunctionFailed             rv = 0x006
	ckrArgumentsBad               rv = 0x007
	ckrAttributeSensitive         rv = 0x011
	ckrAttributeTypeInvalid       rv = 0x012
	ckrAttributeValueInvalid      rv = 0x013
	ckrActionProhibited           rv = 0x01B
	ckrDataInvalid                rv = 0x020
	ckrDataLenRange               rv = 0x021
	ckrDeviceError                rv = 0x030
	ckrDeviceMemory               rv = 0x031
	ckrDeviceRemoved              rv = 0x032
	ckrFunctionCanceled           rv = 0x050
	ckrFunctionNotSupported       rv = 0x054
	ckrKeyHandleInvalid           rv = 0x060
	ckrKeySizeRange               rv = 0x062
	ckrKeyTypeInconsistent        rv = 0x063
	ckrKeyFunctionNotPermitted    rv = 0x068
	ckrMechanismInvalid           rv = 0x070
	ckrMechanismParamInvalid      rv = 0x071
	ckrObjectHandleInvalid        rv = 0x082
	ckrOperationActive            rv = 0x090
	ckrOperationNotInitialized    rv = 0x091
	ckrPINIncorrect               rv = 0x0A0
	ckrPINInvalid                 rv = 0x0A1
	ckrPINLenRange                rv = 0x0A2
	ckrPINExpired                 rv = 0x0A3
	ckrPINLocked                  rv = 0x0A4
	ckrSessionClosed              rv = 0x0B0
	ckrSessionCount               rv = 0x0B1
	ckrSessionHandleInvalid       rv = 0x0B3
	ckrSessionReadOnly            rv = 0x0B5
	ckrTemplateIncomplete         rv = 0x0D0
	ckrTemplateInconsistent       rv = 0x0D1
	ckrTokenNotPresent            rv = 0x0E0
	ckrTokenNotRecognized         rv = 0x0E1
	ckrTokenWriteProtected        rv = 0x0E2
	ckrUserAlreadyLoggedIn        rv = 0x100
	ckrUserNotLoggedIn            rv = 0x101
	ckrUserPINNotInitialized      rv = 0x102
	ckrUserTypeInvalid            rv = 0x103
	ckrDomainParamsInvalid        rv = 0x130
	ckrCurveNotSupported          rv = 0x140
	ckrCryptokiNotInitialized     rv = 0x190
	ckrCryptokiAlreadyInitialized rv = 0x191
	ckrFunctionRejected           rv = 0x200
	ckrVendorDefined              rv = 0x80000000
)

// Error is the name of the code, or its number.
func (r rv) Error() string {
	if s := r.name(); s != "" {
		return "CKR_" + s
	}
	if r >= ckrVendorDefined {
		return fmt.Sprintf("vendor error 0x%X", uint(r))
	}
	return fmt.Sprintf("CK_RV 0x%X", uint(r))
}

func (r rv) name() string {
	switch r {
	case ckrSlotIDInvalid:
		return "SLOT_ID_INVALID"
	case ckrGeneralError:
		return "GENERAL_ERROR"
	case ckrFunctionFailed:
		return "FUNCTION_FAILED"
	case ckrArgumentsBad:
		return "ARGUMENTS_BAD"
	case ckrAttributeSensitive:
		return "ATTRIBUTE_SENSITIVE"
	case ckrAttributeTypeInvalid:
		return "ATTRIBUTE_TYPE_INVALID"
	case ckrAttributeValueInvalid:
		return "ATTRIBUTE_VALUE_INVALID"
	case ckrActionProhibited:
		return "ACTION_PROHIBITED"
	case ckrDataInvalid:
		return "DATA_INVALID"
	case ckrDataLenRange:
		return "DATA_LEN_RANGE"
	case ckrDeviceError:
		return "DEVICE_ERROR"
	case ckrDeviceMemory:
		return "DEVICE_MEMORY"
	case ckrDeviceRemoved:
		return "DEVICE_REMOVED"
	case ckrFunctionCanceled:
		return "FUNCTION_CANCELED"
	case ckrFunctionNotSupported:
		return "FUNCTION_NOT_SUPPORTED"
	case ckrKeyHandleInvalid:
		return "KEY_HANDLE_INVALID"
	case ckrKeySizeRange:
		return "KEY_SIZE_RANGE"
	case ckrKeyTypeInconsistent:
		return "KEY_TYPE_INCONSISTENT"
	case ckrKeyFunctionNotPermitted:
		return "KEY_FUNCTION_NOT_PERMITTED"
	case ckrMechanismInvalid:
		return "MECHANISM_INVALID"
	case ckrMechanismParamInvalid:
		return "MECHANISM_PARAM_INVALID"
	case ckrObjectHandleInvalid:
		return "OBJECT_HANDLE_INVALID"
	case ckrOperationActive:
		return "OPERATION_ACTIVE"
	case ckrOperationNotInitialized:
		return "OPERATION_NOT_INITIALIZED"
	case ckrPINIncorrect:
		return "PIN_INCORRECT"
	case ckrPINInvalid:
		return "PIN_INVALID"
	case ckrPINLenRange:
		return "PIN_LEN_RANGE"
	case ckrPINExpired:
		return "PIN_EXPIRED"
	case ckrPINLocked:
		return "PIN_LOCKED"
	case ckrSessionClosed:
		return "SESSION_CLOSED"
	case ckrSessionCount:
		return "SESSION_COUNT"
	case ckrSessionHandleInvalid:
		return "SESSION_HANDLE_INVALID"
	case ckrSessionReadOnly:
		return "SESSION_READ_ONLY"
	case ckrTemplateIncomplete:
		return "TEMPLATE_INCOMPLETE"
	case ckrTemplateInconsistent:
		return "TEMPLATE_INCONSISTENT"
	case ckrTokenNotPresent:
		return "TOKEN_NOT_PRESENT"
	case ckrTokenNotRecognized:
		return "TOKEN_NOT_RECOGNIZED"
	case ckrTokenWriteProtected:
		return "TOKEN_WRITE_PROTECTED"
	case ckrUserAlreadyLoggedIn:
		return "USER_ALREADY_LOGGED_IN"
	case ckrUserNotLoggedIn:
		return "USER_NOT_LOGGED_IN"
	case ckrUserPINNotInitialized:
		return "USER_PIN_NOT_INITIALIZED"
	case ckrUserTypeInvalid:
		return "USER_TYPE_INVALID"
	case ckrDomainParamsInvalid:
		return "DOMAIN_PARAMS_INVALID"
	case ckrCurveNotSupported:
		return "CURVE_NOT_SUPPORTED"
	case ckrCryptokiNotInitialized:
		return "CRYPTOKI_NOT_INITIALIZED"
	case ckrCryptokiAlreadyInitialized:
		return "CRYPTOKI_ALREADY_INITIALIZED"
	case ckrFunctionRejected:
		return "FUNCTION_REJECTED"
	}
	return ""
}

// meaning says what a code means to an operator and what to do next.
func (r rv) meaning() (say, next string) {
	const again = "; start the step again: nothing of it counts"
	switch r {
	case ckrPINIncorrect:
		return "the token refused the PIN", "stop and do not try at random: another wrong PIN may lock the token; check keyboard layout and that this is the right token"
	case ckrPINLocked:
		return "the user PIN is locked", "the security officer must reset it, outside the ceremony"
	case ckrPINInvalid, ckrPINLenRange:
		return "the token cannot have a PIN like this", "check the PIN; change it outside the ceremony if the token's rules changed"
	case ckrPINExpired:
		return "the user PIN has expired", "change the PIN outside the ceremony"
	case ckrUserPINNotInitialized:
		return "the token has no user PIN yet", "have the security officer set the user PIN, outside the ceremony"
	case ckrUserAlreadyLoggedIn:
		return "this process is logged in to the token already", "one signer per token: close the other one first"
	case ckrTokenNotPresent, ckrTokenNotRecognized, ckrDeviceRemoved, ckrSlotIDInvalid:
		return "the token is gone", "reinsert it" + again
	case ckrSessionHandleInvalid, ckrSessionClosed, ckrObjectHandleInvalid, ckrKeyHandleInvalid, ckrUserNotLoggedIn:
		return "the session with the token was lost", "check that the token is still connected" + again
	case ckrMechanismInvalid, ckrMechanismParamInvalid, ckrKeyTypeInconsistent, ckrKeyFunctionNotPermitted, ckrKeySizeRange:
		return "the token cannot do this with this key", "see what token and key can do: efgsta hsm inspect"
	case ckrDomainParamsInvalid, ckrCurveNotSupported:
		return "the token does not support this curve", "choose another algorithm"
	case ckrTokenWriteProtected, ckrSessionReadOnly:
		return "the token is write-protected", "making a key needs a writable token"
	case ckrSessionCount:
		return "the token has no free session", "end other programs that use the token"
	case ckrCryptokiAlreadyInitialized:
		return "the module is in use in this process already", "close the other signer first"
	case ckrGeneralError, ckrFunctionFailed, ckrDeviceError, ckrDeviceMemory:
		return "the module failed", moduleLog
	}
	if r >= ckrVendorDefined {
		return "the module failed", moduleLog
	}
	return "", ""
}

// moduleLog: what goes wrong inside a module only its vendor's log tells.
const moduleLog = "look at the module's own log, switched on as its vendor says (for example CKNFAST_DEBUG); such a log can hold the PIN"
