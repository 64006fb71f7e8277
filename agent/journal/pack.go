package journal

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// snapHeader is a snapshot's first line. What follows it is gzip: the objects
// as they stand in the journal, one after the other.
type snapHeader struct {
	Version int    `json:"v"`
	Journal string `json:"journal"`
	Number  uint64 `json:"n"`
	Seq     uint64 `json:"seq"`
	Hash    string `json:"hash"` // of object n
	Sum     string `json:"sum"`  // SHA-256 of what follows the header
}

const snapVersion = 1

// maxUnpacked bounds what a snapshot may unpack to.
const maxUnpacked = 1 << 30

// unpacked is a snapshot that was read and found right.
type unpacked struct {
	objects []object
	end     Tail
	packed  []byte
}

func hashOf(body []byte) Hash { return sha256.Sum256(body) }

// packer compresses objects.
type packer struct {
	out bytes.Buffer
	zip *gzip.Writer
}

func (p *packer) add(body []byte) error {
	if p.zip == nil {
		// Whoever opens a journal waits for this, and a cache need not be small.
		p.zip, _ = gzip.NewWriterLevel(&p.out, gzip.BestSpeed) // the level is right
	}
	_, err := p.zip.Write(body)
	return err
}

func (p *packer) end() ([]byte, error) {
	if p.zip == nil {
		return nil, nil
	}
	err := p.zip.Close()
	return p.out.Bytes(), err
}

// harvest packs what is read while a journal is opened, once it is enough for a
// snapshot.
type harvest struct {
	held [][]byte
	n    int
	packer
}

func (h *harvest) add(body []byte) error {
	if h.n++; h.n < snapshotEvery {
		h.held = append(h.held, body)
		return nil
	}
	for _, b := range h.held {
		if err := h.packer.add(b); err != nil {
			return err
		}
	}
	h.held = nil
	return h.packer.add(body)
}

// pack puts a header before compressed objects. They may be several gzip streams
// one after the other, so that a snapshot goes on from the one before it.
func pack(prefix string, end Tail, packed []byte) ([]byte, error) {
	head, err := json.Marshal(snapHeader{snapVersion, prefix, end.Number, end.Seq, end.Hash.String(), hashOf(packed).String()})
	if err != nil {
		return nil, fmt.Errorf("journal: snapshot: %w", err)
	}
	return append(append(head, '\n'), packed...), nil
}

// unpack reads a snapshot and checks the whole chain in it.
func unpack(body []byte, prefix string, n uint64) (unpacked, error) {
	line, packed, ok := bytes.Cut(body, []byte{'\n'})
	var h snapHeader
	switch {
	case !ok || json.Unmarshal(line, &h) != nil:
		return unpacked{}, errors.New("it has no readable header")
	case h.Version != snapVersion:
		return unpacked{}, fmt.Errorf("it has version %d; this program reads version %d", h.Version, snapVersion)
	case h.Journal != prefix || h.Number != n:
		return unpacked{}, fmt.Errorf("it is of object %d of the journal %s", h.Number, h.Journal)
	case h.Sum != hashOf(packed).String():
		return unpacked{}, errors.New("its contents do not match its checksum")
	}
	c := begin(prefix)
	s := unpacked{packed: packed}
	if err := split(packed, func(body []byte) error {
		o, err := c.examine(body)
		if err != nil {
			return err
		}
		s.objects = append(s.objects, o)
		return c.advance(o)
	}); err != nil {
		return unpacked{}, err
	}
	s.end = c.last()
	if s.end.Number != n || s.end.Seq != h.Seq || s.end.Hash.String() != h.Hash {
		return unpacked{}, fmt.Errorf("it ends at object %d and not as its header says", s.end.Number)
	}
	return s, nil
}

// split takes compressed objects apart: a header says how many lines follow it.
func split(packed []byte, do func(body []byte) error) error {
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return fmt.Errorf("it cannot be unpacked: %w", err)
	}
	lines := bufio.NewReaderSize(io.LimitReader(zip, maxUnpacked), 64<<10)
	for {
		body, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(body) == 0 {
			return nil
		}
		var h header
		if err == nil {
			err = json.Unmarshal(body, &h)
		}
		for i := 0; i < h.Records && err == nil; i++ {
			var line []byte
			line, err = lines.ReadBytes('\n')
			body = append(body, line...)
		}
		if err != nil {
			return fmt.Errorf("it cannot be unpacked: %w", err)
		}
		if err := do(body); err != nil {
			return err
		}
	}
}
