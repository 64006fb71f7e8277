package access

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

func TestParseTeam(t *testing.T) {
	for domain, want := range map[string]string{
		"team.cloudflareaccess.com": "https://team.cloudflareaccess.com", "https://Team.cloudflareaccess.com/": "https://team.cloudflareaccess.com",
		"http://127.0.0.1:99": "http://127.0.0.1:99",
	} {
		team, err := ParseCloudflareAccess(domain, "a, b,")
		if err != nil || team.Origin != want || team.KeysURL() != want+"/cdn-cgi/access/certs" || !cmp.Equal(team.Audience, []string{"a", "b"}) {
			t.Errorf("%s: got %+v, %v", domain, team, err)
		}
	}
	for _, bad := range []string{"http://team.example.com", "https://team.example.com/path", "https://u@team.example.com", "ftp://a.com", "a b", "https://"} {
		if team, err := ParseCloudflareAccess(bad, "a"); err == nil || !strings.Contains(err.Error(), "ACCESS_TEAM_DOMAIN") {
			t.Errorf("%q: got %+v, %v", bad, team, err)
		}
	}
	if _, err := ParseCloudflareAccess("team.example.com", " "); err == nil || !strings.Contains(err.Error(), "ACCESS_AUD") {
		t.Errorf("got %v", err)
	}
	if team, err := ParseCloudflareAccess("", ""); team != nil || err != nil {
		t.Errorf("got %v, %v", team, err)
	}
}

func TestTeamVerifies(t *testing.T) {
	i := newIssuer(t)
	team := &CloudflareAccess{Origin: "https://team.example.com", Audience: []string{"one", "two"}}
	text := func(kid string, change map[string]any) string {
		with := map[string]any{"iss": team.Origin, "aud": []string{"two"}, "email": "Eve@Example.com", "scope": "admin"}
		for k, v := range change {
			with[k] = v
		}
		return sign(t, jwt.SigningMethodRS256, i.rsa, kid, claims(with))
	}
	got, err := team.Verify(text("rsa", nil), i.jwt.Keys, jwtNow)
	want := Identity{User: "eve@example.com", Scopes: []string{"read", "chat"}, Expires: jwtNow.Unix() + 90}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for name, bad := range map[string]string{
		"other application": text("rsa", map[string]any{"aud": "three"}), "other team": text("rsa", map[string]any{"iss": "https://evil.example.com"}),
		"a service": text("rsa", map[string]any{"email": nil, "common_name": "x"}), "endless": text("rsa", map[string]any{"exp": nil}),
	} {
		if g, err := team.Verify(bad, i.jwt.Keys, jwtNow); err == nil || errors.Is(err, ErrUnknownKey) {
			t.Errorf("%s: got %+v, %v", name, g, err)
		}
	}
	if _, err := team.Verify(text("new", nil), i.jwt.Keys, jwtNow); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("a new key: got %v, want ErrUnknownKey", err)
	}
}

// Two addresses are never one user, whatever somebody else's folding makes of them.
func TestNoAddressFoldsIntoAnothers(t *testing.T) {
	for email, want := range map[string]string{
		"kate@example.org": "kate@example.org", "KaTe@Example.ORG": "kate@example.org", "jos\u00e9@example.org": "jos\u00e9@example.org", "JOS\u00c9@example.org": "jos\u00c9@example.org",
		"\u718a\u5927@example.org": "\u718a\u5927@example.org", "\u043c\u0438\u0448\u0430@example.org": "\u043c\u0438\u0448\u0430@example.org",
		"\u212Aate@example.org": "", "al\u0130ce@example.org": "", "k\u0131m@example.org": "", "\uFF4Bate@example.org": "", "ki\u017Fs@example.org": "",
		"\U0001D424ate@example.org": "", "\u24DAate@example.org": "", "\uFB01n@example.org": "", "k\u00AAte@example.org": "", "\u1D4Fate@example.org": "", "ka\u200Bte@example.org": "",
		"ka\u00ADte@example.org": "", "kate\uFE0F@example.org": "", "ka\u034Fte@example.org": "", "kate\uFF20example.org": "", "kate@example\uFF0Eorg": "", "kate@example\u3002org": "", "\u212Bke@example.org": "",
	} {
		got, err := lowerASCII(email)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%+q: got %+q, %v, want %+q", email, got, err, want)
		}
	}
}

// What lower case, upper case or folding of the standard library makes ASCII of is
// refused, all of Unicode over.
func TestWhatFoldsIntoASCIIIsRefused(t *testing.T) {
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		s := string(r)
		for _, folded := range []string{strings.ToLower(s), strings.ToUpper(s), strings.ToTitle(s)} {
			if folded[0] < 0x80 && !mayFold(r) {
				t.Errorf("%+q becomes %q", s, folded)
			}
		}
		for c := 'a'; c <= 'z'; c++ {
			if strings.EqualFold(s, string(c)) && !mayFold(r) {
				t.Errorf("%+q folds into %c", s, c)
			}
		}
	}
}
