package tools

import (
	"archive/zip"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestTimeZonesAsPeopleWriteThem(t *testing.T) {
	at := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	for name, want := range map[string]string{
		"Asia/Shanghai": "20:00", "asia/shanghai": "20:00", "ASIA/SHANGHAI": "20:00", " Asia/Shanghai ": "20:00", "Asia/Beijing": "20:00", "北京时间": "20:00", "PRC": "20:00", "prc": "20:00",
		"UTC+8": "20:00", "utc+8": "20:00", "UTC+08:00": "20:00", "GMT+8": "20:00", "gmt +8": "20:00", "+08:00": "20:00", "+0800": "20:00", "+8": "20:00", "UTC-3:30": "08:30", "UTC−5": "07:00", "UTC+5:45": "17:45", "UTC+14": "02:00",
		"UTC": "12:00", "utc": "12:00", "Z": "12:00", "GMT": "12:00", "UTC+0": "12:00", "Etc/GMT+8": "04:00", "etc/gmt-8": "20:00",
		"America/New York": "07:00", "america/new_york": "07:00", "America/Argentina/Buenos_Aires": "09:00", "america/argentina/buenos_aires": "09:00", "JST": "21:00", "CET": "13:00",
		"Africa/dar_es_salaam": "15:00", "europe/isle_of_man": "12:00", "America/port-au-prince": "07:00",
	} {
		zone, err := timeZone(name)
		if err != nil {
			t.Errorf("%q: %v", name, err)
		} else if got := at.In(zone).Format("15:04"); got != want {
			t.Errorf("noon UTC in %q is %s, want %s", name, got, want)
		}
	}
	for name, want := range map[string]string{
		"CST": "America/Chicago", "cst": "Asia/Shanghai", "IST": "Asia/Kolkata", "BST": "Europe/London", "PST": "Asia/Manila",
		"UTC+25": "not known", "UTC+14:30": "not known", "UTC+8:75": "not known", "Local": "not known", "LOCAL": "not known", "Mars/Base": "not known", "../etc/passwd": "not known", "UTC+8+8": "not known",
	} {
		if zone, err := timeZone(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q = %v, %v, want an error with %q", name, zone, err, want)
		}
	}
}

func TestEveryIANANameIsFoundInSmallLetters(t *testing.T) {
	list, err := zip.OpenReader(filepath.Join(runtime.GOROOT(), "lib", "time", "zoneinfo.zip")) //nolint:staticcheck // the toolchain that runs this test
	if err != nil {
		t.Fatalf("the toolchain has no list of zones: %v", err)
	}
	defer func() { _ = list.Close() }()
	for _, f := range list.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		want, err := time.LoadLocation(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := timeZone(strings.ToLower(f.Name))
		now := time.Now()
		if err != nil || now.In(got).Format("15:04") != now.In(want).Format("15:04") {
			t.Errorf("%q: %v, %v", strings.ToLower(f.Name), got, err)
		}
	}
}
