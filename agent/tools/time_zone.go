package tools

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// timeZone reads a time zone as people and models write it. What has one sensible
// reading is taken: an IANA name in any case, a distance to UTC, a few names that
// the IANA list lacks. An abbreviation that several zones have is refused with
// what it may mean.
func timeZone(name string) (*time.Location, error) {
	name = strings.TrimSpace(name)
	if zone := distance(name); zone != nil {
		return zone, nil
	}
	low := strings.ToLower(strings.ReplaceAll(name, " ", "_"))
	if means, known := manyZones[low]; known {
		return nil, failed("the time zone %s can be more than one: %s; say which", name, means)
	}
	if other, known := otherNames[low]; known {
		return time.LoadLocation(other)
	}
	for _, spelling := range []string{name, strings.ToUpper(low), inTitles(low)} {
		if spelling == "" || strings.EqualFold(spelling, "local") {
			continue // the machine's own zone is nobody's
		}
		if zone, err := time.LoadLocation(spelling); err == nil {
			return zone, nil
		}
	}
	return nil, failed("the time zone %.60q is not known; use an IANA name such as Asia/Shanghai, or a distance to UTC such as UTC+8", name)
}

// utcDistance matches UTC+8, GMT-03:30, UTC+0800 and +08:00. Etc/GMT+8, which
// means the opposite, is an IANA name.
var utcDistance = regexp.MustCompile(`^(?i:utc|gmt)?\s*([+\-−])\s*(\d{1,2})(?::?(\d{2}))?$`)

// distance gives the zone of a distance to UTC, nil when it is none.
func distance(name string) *time.Location {
	m := utcDistance.FindStringSubmatch(name)
	if m == nil {
		return nil
	}
	hours, _ := strconv.Atoi(m[2])   // digits
	minutes, _ := strconv.Atoi(m[3]) // digits, or nothing
	if minutes > 59 || hours*60+minutes > 14*60 {
		return nil
	}
	seconds, sign := hours*3600+minutes*60, m[1]
	if sign != "+" {
		seconds, sign = -seconds, "-"
	}
	return time.FixedZone(fmt.Sprintf("UTC%s%02d:%02d", sign, hours, minutes), seconds)
}

// manyZones are abbreviations that mean different zones to different people.
var manyZones = map[string]string{
	"cst": "Asia/Shanghai (China) or America/Chicago (central North America), or America/Havana (Cuba)",
	"ist": "Asia/Kolkata (India), Asia/Jerusalem (Israel) or Europe/Dublin (Ireland)",
	"bst": "Europe/London (British summer) or Asia/Dhaka (Bangladesh)",
	"ast": "America/Halifax (Atlantic) or Asia/Riyadh (Arabia)",
	"pst": "America/Los_Angeles (Pacific) or Asia/Manila (Philippines)",
	"sst": "Pacific/Pago_Pago (Samoa) or Asia/Singapore (Singapore)",
	"gst": "Asia/Dubai (Gulf) or Atlantic/South_Georgia",
	"amt": "Asia/Yerevan (Armenia) or America/Manaus (Amazon)",
	"ect": "America/Guayaquil (Ecuador) or America/Martinique (eastern Caribbean)", //nolint:misspell // a zone
	"wst": "Australia/Perth (western Australia) or Pacific/Apia (Samoa)",
	"cdt": "America/Chicago (central North America) or America/Havana (Cuba)",
	"adt": "America/Halifax (Atlantic) or Asia/Baghdad (Arabia)",
}

// otherNames have one meaning and are no IANA names.
var otherNames = map[string]string{
	"z": "UTC", "utc0": "UTC", "gmt0": "UTC",
	"asia/beijing": "Asia/Shanghai", "beijing": "Asia/Shanghai", "beijing_time": "Asia/Shanghai", "china": "Asia/Shanghai", "北京": "Asia/Shanghai", "北京时间": "Asia/Shanghai", "中国标准时间": "Asia/Shanghai",
	"asia/shenzhen": "Asia/Shanghai", "asia/guangzhou": "Asia/Shanghai", "asia/hangzhou": "Asia/Shanghai", "asia/chengdu": "Asia/Shanghai", "asia/nanjing": "Asia/Shanghai", "asia/wuhan": "Asia/Shanghai", "asia/xian": "Asia/Shanghai", "asia/tianjin": "Asia/Shanghai",
	"asia/mumbai": "Asia/Kolkata", "asia/delhi": "Asia/Kolkata", "asia/new_delhi": "Asia/Kolkata", "asia/osaka": "Asia/Tokyo",
	"america/san_francisco": "America/Los_Angeles", "america/seattle": "America/Los_Angeles", "america/washington": "America/New_York", "america/boston": "America/New_York",
	"europe/munich": "Europe/Berlin", "europe/hamburg": "Europe/Berlin", "europe/barcelona": "Europe/Madrid", "europe/milan": "Europe/Rome", "europe/geneva": "Europe/Zurich",
	"jst": "Asia/Tokyo", "kst": "Asia/Seoul", "hkt": "Asia/Hong_Kong", "sgt": "Asia/Singapore", "pdt": "America/Los_Angeles", "mdt": "America/Denver", "edt": "America/New_York",
	"cest": "Europe/Berlin", "eest": "Europe/Helsinki", "msk": "Europe/Moscow", "aest": "Australia/Brisbane", "nzst": "Pacific/Auckland",
	// IANA names whose capitals follow no rule.
	"antarctica/dumontdurville": "Antarctica/DumontDUrville", "antarctica/mcmurdo": "Antarctica/McMurdo", "america/port-au-prince": "America/Port-au-Prince",
	"america/argentina/comodrivadavia": "America/Argentina/ComodRivadavia", "america/knox_in": "America/Knox_IN", "etc/greenwich": "UTC", "etc/universal": "UTC", "etc/zulu": "UTC",
	"gb-eire": "GB-Eire", "w-su": "W-SU", "nz-chat": "NZ-CHAT", "us/east-indiana": "US/East-Indiana", "mexico/bajanorte": "Mexico/BajaNorte", "mexico/bajasur": "Mexico/BajaSur",
	"australia/act": "Australia/ACT", "australia/lhi": "Australia/LHI", "australia/nsw": "Australia/NSW", "chile/easterisland": "Chile/EasterIsland", "brazil/denoronha": "Brazil/DeNoronha",
}

// inTitles gives an IANA name the capitals that most of them have.
func inTitles(low string) string {
	area, rest, found := strings.Cut(low, "/")
	if found && (area == "etc" || area == "us") {
		if area == "us" {
			return "US/" + titled(rest)
		}
		return "Etc/" + strings.ToUpper(rest)
	}
	return titled(low)
}

// titled gives each part of a name a capital, but small words.
func titled(low string) string {
	var b strings.Builder
	for i := 0; i < len(low); {
		end := strings.IndexAny(low[i:], "/_-")
		if end < 0 {
			end = len(low) - i
		}
		part := low[i : i+end]
		if part != "of" && part != "es" && part != "" && part[0] < 0x80 {
			part = strings.ToUpper(part[:1]) + part[1:]
		}
		b.WriteString(part)
		if i += end; i < len(low) {
			b.WriteByte(low[i])
			i++
		}
	}
	return b.String()
}
