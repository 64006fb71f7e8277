package attach_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/attach"
)

// quarters is an image whose quarters differ, so that one can see how it lies.
func quarters(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{A: 255}
			switch {
			case x < w/2 && y < h/2:
				c.R = 255
			case y < h/2:
				c.G = 255
			case x < w/2:
				c.B = 255
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func written(t testing.TB, write func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, w, h int) []byte {
	return written(t, func(b *bytes.Buffer) error { return png.Encode(b, quarters(w, h)) })
}

func jpegOf(t testing.TB, w, h int) []byte {
	return written(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, quarters(w, h), &jpeg.Options{Quality: 95}) })
}

func gifOf(t testing.TB, w, h int) []byte {
	return written(t, func(b *bytes.Buffer) error { return gif.Encode(b, quarters(w, h), nil) })
}

// webpOf is one pixel without loss: there is no encoder to make a larger one.
func webpOf(t testing.TB) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// shown decodes what a model is shown.
func shown(t testing.TB, v attach.View) image.Image {
	t.Helper()
	img, kind, err := image.Decode(bytes.NewReader(v.Data))
	if err != nil || "image/"+kind != v.MediaType || img.Bounds().Dx() != v.Width || img.Bounds().Dy() != v.Height {
		t.Fatalf("%+v (%s, %v) is not what it says", v.Problem, kind, err)
	}
	return img
}

// corners names the colours of the quarters, clockwise from the upper left one.
func corners(img image.Image) string {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	var s strings.Builder
	for _, at := range [][2]int{{w / 4, h / 4}, {3 * w / 4, h / 4}, {3 * w / 4, 3 * h / 4}, {w / 4, 3 * h / 4}} {
		r, g, b, _ := img.At(at[0], at[1]).RGBA()
		switch m := max(r, g, b); {
		case m < 0x4000:
			s.WriteByte('k')
		case m == r:
			s.WriteByte('r')
		case m == g:
			s.WriteByte('g')
		default:
			s.WriteByte('b')
		}
	}
	return s.String()
}

func TestImagesAreMadeAnew(t *testing.T) {
	for name, c := range map[string]struct {
		body []byte
		kind string
		w, h int
	}{
		"png":            {pngOf(t, 100, 60), "image/png", 100, 60},
		"jpeg":           {jpegOf(t, 100, 60), "image/jpeg", 100, 60},
		"gif":            {gifOf(t, 100, 60), "image/png", 100, 60},
		"large":          {pngOf(t, 5000, 2500), "image/png", 2000, 1000},
		"a little large": {jpegOf(t, 2100, 1050), "image/jpeg", 2000, 1000},
		"tall":           {pngOf(t, 10, 4500), "image/png", 20, 2000},
		"tiny":           {pngOf(t, 4, 4), "image/png", 16, 16},
	} {
		v := view(t, c.body, 0)
		img := shown(t, v)
		if v.MediaType != c.kind || v.Width != c.w || v.Height != c.h || v.Problem != "" || !v.IsImage() {
			t.Errorf("%s: %s %d×%d %q, want %s %d×%d", name, v.MediaType, v.Width, v.Height, v.Problem, c.kind, c.w, c.h)
		}
		if got := corners(img); got != "rgkb" && c.w >= 100 {
			t.Errorf("%s: the quarters are %s", name, got)
		}
	}
	if v := view(t, webpOf(t), 0); v.MediaType != "image/png" || v.Width != 16 {
		t.Errorf("webp: %+v", v)
	}
}

// withExif puts an orientation, and a place, into a JPEG.
func withExif(body []byte, orientation uint16) []byte {
	tiff := binary.LittleEndian.AppendUint16([]byte("II*\x00\x08\x00\x00\x00\x01\x00"), 0x0112)
	tiff = binary.LittleEndian.AppendUint16(tiff, 3)
	tiff = binary.LittleEndian.AppendUint32(tiff, 1)
	tiff = binary.LittleEndian.AppendUint16(tiff, orientation)
	tiff = append(tiff, "\x00\x00\x00\x00\x00\x00 48.8566N 2.3522E"...)
	data := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{}, body[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(data)+2)) //nolint:gosec // short
	return append(append(out, data...), body[2:]...)
}

func pngChunk(name, data string) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data))) //nolint:gosec // short
	out = append(append(out, name...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

func TestMetadataGoesAndTheImageStandsUpright(t *testing.T) {
	for orientation, want := range map[uint16]string{1: "rgkb", 2: "grbk", 3: "kbrg", 4: "bkgr", 5: "rbkg", 6: "brgk", 7: "kgrb", 8: "gkbr", 9: "rgkb"} {
		v := view(t, withExif(jpegOf(t, 80, 40), orientation), 0)
		if got := corners(shown(t, v)); got != want {
			t.Errorf("orientation %d: %s, want %s", orientation, got, want)
		}
		if bytes.Contains(v.Data, []byte("48.8566N")) || bytes.Contains(v.Data, []byte("Exif")) {
			t.Errorf("orientation %d: the metadata is still there", orientation)
		}
	}
	body := pngOf(t, 80, 40)
	secret := append(append(append([]byte{}, body[:33]...), pngChunk("tEXt", "Author\x00a name")...), append(body[33:], "trailing secret"...)...)
	v := view(t, secret, 0)
	if shown(t, v); bytes.Contains(v.Data, []byte("a name")) || bytes.Contains(v.Data, []byte("trailing")) {
		t.Error("a comment or what stands behind the image is still there")
	}
}

func TestNoiseIsMadeSmallEnough(t *testing.T) {
	for _, alpha := range []uint8{255, 100} {
		img := image.NewNRGBA(image.Rect(0, 0, 1300, 1300))
		r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test's
		for i := range img.Pix {
			img.Pix[i] = uint8(r.Uint32()) //nolint:gosec // any byte
			if i%4 == 3 {
				img.Pix[i] = alpha
			}
		}
		v := view(t, written(t, func(b *bytes.Buffer) error { return (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(b, img) }), 0)
		if shown(t, v); len(v.Data) > attach.MaxImage {
			t.Errorf("alpha %d: %d bytes", alpha, len(v.Data))
		}
	}
}

// claims is the head of an image that says how large it is.
func claims(w, h uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, w)
	b = binary.BigEndian.AppendUint32(b, h)
	return append([]byte("\x89PNG\r\n\x1a\n"), append(pngChunk("IHDR", string(b)+"\x08\x02\x00\x00\x00"), pngChunk("IDAT", "x\x9c")...)...)
}

func webp(chunks ...string) []byte {
	var body bytes.Buffer
	body.WriteString("WEBP")
	for i := 0; i < len(chunks); i += 2 {
		body.WriteString(chunks[i])
		_ = binary.Write(&body, binary.LittleEndian, uint32(len(chunks[i+1]))) //nolint:gosec // short
		body.WriteString(chunks[i+1])
		if len(chunks[i+1])%2 == 1 {
			body.WriteByte(0)
		}
	}
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(body.Len())), body.Bytes()...) //nolint:gosec // short
}

func TestImagesThatCannotBeReadHaveAReason(t *testing.T) {
	ok, jp := pngOf(t, 300, 300), jpegOf(t, 300, 300)
	vp8l := "\x2f" + string(binary.LittleEndian.AppendUint32(nil, 16383|16383<<14)) + "\x00"
	for name, c := range map[string]struct {
		body []byte
		want string
	}{
		"a bomb":                 {claims(50_000, 50_000), "40 megapixels"},
		"a bomb that overflows":  {claims(1<<31-1, 1<<31-1), "damaged"},
		"a little too large":     {claims(8000, 5001), "40 megapixels"},
		"cut off":                {ok[:len(ok)/2], "damaged or cut off"},
		"cut off in its head":    {ok[:20], "damaged or cut off"},
		"no size":                {claims(0, 10), "damaged or cut off"},
		"a jpeg, cut off":        {jp[:len(jp)/3], "damaged or cut off"},
		"a gif, cut off":         {gifOf(t, 300, 300)[:30], "damaged or cut off"},
		"a webp behind a canvas": {webp("VP8X", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "VP8L", vp8l), "40 megapixels"},
		"an animated webp":       {webp("VP8X", "\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00", "ANIM", "\x00\x00\x00\x00\x00\x00"), "animated"},
		"a webp without picture": {webp("ICCP", "x"), "damaged or cut off"},
	} {
		if v := view(t, c.body, 0); !strings.Contains(v.Problem, c.want) || v.MediaType != "" || len(v.Data) > 0 {
			t.Errorf("%s: %q, want %q", name, v.Problem, c.want)
		}
	}
}

// TestTheLargestImageFits decodes an image of the most pixels in a worker with its
// bound on memory, and one that takes twice as much, which is refused.
func TestTheLargestImageFits(t *testing.T) {
	gray := image.NewPaletted(image.Rect(0, 0, 8000, 5000), color.Palette{color.Black, color.White})
	v := view(t, written(t, func(b *bytes.Buffer) error { return png.Encode(b, gray) }), 0)
	if v.Width != 2000 || v.Height != 1250 || v.Problem != "" {
		t.Errorf("palette: %d×%d %q", v.Width, v.Height, v.Problem)
	}
	full := written(t, func(b *bytes.Buffer) error {
		return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(b, image.NewNRGBA(image.Rect(0, 0, 8000, 5000)))
	})
	if v = view(t, full, 0); v.Width != 2000 || v.Height != 1250 || v.Problem != "" {
		t.Errorf("with alpha: %d×%d %q", v.Width, v.Height, v.Problem)
	}
	if testing.Short() {
		return
	}
	deep := written(t, func(b *bytes.Buffer) error {
		return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(b, image.NewNRGBA64(image.Rect(0, 0, 8000, 5000)))
	})
	if v = view(t, deep, 0); v.Problem != "it needs too much memory to read" {
		t.Errorf("16 bits a channel: %d×%d %q", v.Width, v.Height, v.Problem)
	}
}
