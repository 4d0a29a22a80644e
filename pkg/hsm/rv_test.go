package hsm

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// What an operator is told of each code that matters on the day, and what to do next.
func TestErrorMap(t *testing.T) {
	for _, c := range []struct {
		codes     []rv
		say, next string
	}{
		{[]rv{ckrPINIncorrect}, "the token refused the PIN", "do not try at random"},
		{[]rv{ckrPINLocked}, "the user PIN is locked", "security officer"},
		{[]rv{ckrPINLenRange, ckrPINInvalid}, "a PIN like this", "check the PIN"},
		{[]rv{ckrPINExpired}, "has expired", "outside the ceremony"},
		{[]rv{ckrUserPINNotInitialized}, "no user PIN", "security officer"},
		{[]rv{ckrTokenNotPresent, ckrTokenNotRecognized, ckrDeviceRemoved, ckrSlotIDInvalid}, "the token is gone", "reinsert it"},
		{[]rv{ckrSessionHandleInvalid, ckrSessionClosed, ckrObjectHandleInvalid, ckrKeyHandleInvalid, ckrUserNotLoggedIn}, "the session with the token was lost", "nothing of it counts"},
		{[]rv{ckrMechanismInvalid, ckrMechanismParamInvalid, ckrKeyTypeInconsistent, ckrKeyFunctionNotPermitted}, "cannot do this with this key", "efgsta hsm inspect"},
		{[]rv{ckrDeviceError, ckrGeneralError, ckrFunctionFailed, ckrDeviceMemory, ckrVendorDefined + 7}, "the module failed", "CKNFAST_DEBUG); such a log can hold the PIN"},
	} {
		for _, code := range c.codes {
			err := failure("use", "token", fmt.Errorf("call: %w", code))
			if !strings.Contains(err.Error(), c.say) || !strings.Contains(err.Next, c.next) || !errors.Is(err, code) {
				t.Errorf("%v: %v; hint: %s", code, err, err.Next)
			}
			if !strings.Contains(err.Error(), code.Error()) {
				t.Errorf("%v is not named in %v", code, err)
			}
		}
	}
	// What the binding has no name for still shows its number.
	if got := rv(0x1234).Error(); got != "CK_RV 0x1234" {
		t.Error(got)
	}
}
