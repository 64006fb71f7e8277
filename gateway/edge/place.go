package edge

import (
	"hash/fnv"
	"io"
)

// place chooses a user's agent by rendezvous hashing: every gateway chooses the
// same one, and when an agent joins or leaves only its own users move.
func place(user string, agents []string) string {
	var best string
	var most uint64
	for _, a := range agents {
		if w := weight(user, a); best == "" || w > most {
			best, most = a, w
		}
	}
	return best
}

func weight(user, agent string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, agent)
	_, _ = h.Write([]byte{0})
	_, _ = io.WriteString(h, user)
	// FNV's last bytes barely reach the high bits; this spreads them.
	v := h.Sum64()
	v ^= v >> 33
	v *= 0xff51afd7ed558ccd
	v ^= v >> 33
	v *= 0xc4ceb9fe1a85ec53
	return v ^ v>>33
}
