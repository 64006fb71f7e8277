package journal

import (
	"bytes"
	"testing"
	"time"
)

// FuzzUnpack holds that whatever is unpacked without an error is a whole chain.
func FuzzUnpack(f *testing.F) {
	const prefix = "u/a/log/"
	c, p := begin(prefix), packer{}
	for range 3 {
		body, err := encode(c.next, c.prev, "id", time.Unix(0, 0), Tail{}, []Record{{Type: "x", Body: []byte("1")}, {Type: "y", Body: []byte(`"<"`)}})
		if err != nil {
			f.Fatal(err)
		}
		o, err := c.examine(body)
		if err != nil || c.advance(o) != nil || p.add(body) != nil {
			f.Fatal(err)
		}
	}
	packed, err := p.end()
	if err != nil {
		f.Fatal(err)
	}
	whole, err := pack(prefix, c.last(), packed)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := unpack(body, prefix, 3)
		if err != nil {
			return
		}
		if len(s.objects) != 3 || s.end.Seq == 0 || s.objects[2].hash != s.end.Hash {
			t.Errorf("unpacked %+v", s.end)
		}
	})
}

// FuzzDecode holds that what is read as an object says what its bytes say.
func FuzzDecode(f *testing.F) {
	body, err := encode(1, start("u/a/log/"), "id", time.Unix(0, 0), Tail{}, []Record{{Type: "x", Body: []byte("1")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte("{}\n{}\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := decode(body)
		if err != nil {
			return
		}
		if len(o.records) != o.header.Records || o.hash != hashOf(body) {
			t.Errorf("%d records, the header says %d", len(o.records), o.header.Records)
		}
		if n := bytes.Count(body, []byte("\n")); n != o.header.Records+1 {
			t.Errorf("%d lines for %d records", n, o.header.Records)
		}
	})
}
