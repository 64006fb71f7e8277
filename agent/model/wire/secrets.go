package wire

import (
	"errors"
	"net/url"
	"strings"
)

// Secrets knows what must not stand in any text of ours: a provider may well
// repeat the key that it refuses.
type Secrets struct{ hide *strings.Replacer }

// SecretsOf knows a key and what an address holds of secrets.
func SecretsOf(key string, u *url.URL) Secrets {
	var pairs []string
	hide := func(s string) {
		if len(s) >= 4 {
			pairs = append(pairs, s, "[hidden]", strings.ToLower(s), "[hidden]", url.QueryEscape(s), "[hidden]")
		}
	}
	hide(key)
	if u.User != nil {
		p, _ := u.User.Password()
		hide(p)
		hide(u.User.Username())
	}
	for _, vs := range u.Query() {
		for _, v := range vs {
			hide(v)
		}
	}
	return Secrets{strings.NewReplacer(pairs...)}
}

// Scrub is an error without secrets and without the address; what it wraps is
// gone, since that would still hold them.
func (s Secrets) Scrub(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return errors.New(s.Clip(err.Error()))
}

// Clip makes a provider's words fit for a log.
func (s Secrets) Clip(text string) string {
	text = strings.Join(strings.Fields(s.hide.Replace(text)), " ")
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	return strings.ToValidUTF8(text, "")
}
