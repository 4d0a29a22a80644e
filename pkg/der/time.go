package der

import "time"

// Time reads a UTCTime or GeneralizedTime, in UTC. A time in a form that X.690
// and RFC 5280 4.1.2.5 do not allow (no seconds, an offset, a fraction, no zone)
// is read all the same and comes with an error; one that is no time is zero.
func (e Element) Time() (time.Time, error) {
	s := string(e.Content)
	digits := 0
	for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
		digits++
	}
	year, rest := 0, 0
	switch {
	case e.Is(TagUTCTime) && (digits == 10 || digits == 12):
		// RFC 5280 4.1.2.5.1: 50 to 99 are of the 20th century.
		if year, rest = number(s[:2]), 2; year < 50 {
			year += 100
		}
		year += 1900
	case e.Is(TagGeneralizedTime) && (digits == 10 || digits == 12 || digits == 14):
		year, rest = number(s[:4]), 4
	default:
		return time.Time{}, errorAt(e.Offset, "%s that is no time", e.Kind())
	}
	part := [5]int{1, 1, 0, 0, 0} // month, day, hour, minute, second
	for i := 0; rest < digits; i, rest = i+1, rest+2 {
		part[i] = number(s[rest : rest+2])
	}
	t := time.Date(year, time.Month(part[0]), part[1], part[2], part[3], part[4], 0, time.UTC)
	if t.Year() != year || int(t.Month()) != part[0] || t.Day() != part[1] || t.Hour() != part[2] || t.Minute() != part[3] || t.Second() != part[4] {
		return time.Time{}, errorAt(e.Offset, "%s with a date or hour that does not exist", e.Kind())
	}
	seconds := digits == 12 && e.Tag == TagUTCTime || digits == 14
	if tail := s[digits:]; tail != "Z" || !seconds {
		return e.looseTime(t, tail)
	}
	return t, nil
}

// looseTime reads what follows the digits of a time that is not in its DER form.
func (e Element) looseTime(t time.Time, tail string) (time.Time, error) {
	if len(tail) > 1 && e.Tag == TagGeneralizedTime && (tail[0] == '.' || tail[0] == ',') {
		i := 1
		for i < len(tail) && tail[i] >= '0' && tail[i] <= '9' {
			i++
		}
		tail = tail[i:] // a fraction of a second makes no difference to anyone
	}
	switch {
	case tail == "Z":
	case tail == "" && e.Tag == TagGeneralizedTime:
		return t, errorAt(e.Offset, "%s without a time zone, read as UTC", e.Kind())
	case len(tail) == 5 && (tail[0] == '+' || tail[0] == '-') && allDigits(tail[1:]):
		shift := time.Duration(number(tail[1:3]))*time.Hour + time.Duration(number(tail[3:5]))*time.Minute
		if tail[0] == '+' {
			shift = -shift
		}
		return t.Add(shift), errorAt(e.Offset, "%s with an offset instead of Z", e.Kind())
	default:
		return time.Time{}, errorAt(e.Offset, "%s that is no time", e.Kind())
	}
	return t, errorAt(e.Offset, "%s without seconds or with a fraction", e.Kind())
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func number(s string) int {
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}
