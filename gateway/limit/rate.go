package limit

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// The classes. Each has its own count.
const (
	Chat = chat.LimitChat
	API  = chat.LimitAPI
	Auth = "auth" // wrong credentials of an address
)

// Rate allows N at once and N for each period.
type Rate struct {
	N   int
	Per time.Duration
}

// Rates are the limits of each class.
type Rates struct {
	Chat, API, Auth Rate
}

// Of gives a class's rate; an unknown class has API's.
func (r Rates) Of(class string) Rate {
	switch class {
	case Chat:
		return r.Chat
	case Auth:
		return r.Auth
	}
	return r.API
}

// Key is the key under which somebody is counted: a user, or an address for Auth.
func Key(class, who string) string { return class + ":" + who }

// ParseRate reads "30/m": a count, a slash, and s, m or h.
func ParseRate(s string) (Rate, error) {
	count, unit, ok := strings.Cut(strings.TrimSpace(s), "/")
	n, err := strconv.Atoi(count)
	per := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	if !ok || err != nil || n < 1 || n > 1_000_000 || per == 0 {
		return Rate{}, errors.New("is not a rate; write a count of 1 to 1000000, a slash and s, m or h, such as 30/m")
	}
	return Rate{N: n, Per: per}, nil
}
