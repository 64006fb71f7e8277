package attach

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

// The limits of images.
const (
	// MaxPixels is looked at before anything is decoded.
	MaxPixels = 40_000_000
	// MaxImage is how large an image is that goes to a model, in bytes: with base64
	// it stays below the 5 MiB that the most careful providers take.
	MaxImage = 3 << 20
	// maxEdge is the longest side that goes to a model: providers scale down what is
	// larger, and some refuse it where there are many.
	maxEdge = 2000
	// minEdge is the shortest: some refuse what is smaller. It also bounds how long
	// and thin an image is.
	minEdge  = 16
	maxRatio = 100
	// smallPNG is up to where an image that is no photograph stays without loss.
	smallPNG = 1 << 20
)

// decoders read one kind of image each: first its size, then all of it.
var decoders = map[string]struct {
	size   func(body []byte) (image.Config, error)
	decode func(body []byte) (image.Image, error)
}{
	mediaPNG: {
		func(b []byte) (image.Config, error) { return png.DecodeConfig(bytes.NewReader(b)) },
		func(b []byte) (image.Image, error) { return png.Decode(bytes.NewReader(b)) },
	},
	mediaJPEG: {
		func(b []byte) (image.Config, error) { return jpeg.DecodeConfig(bytes.NewReader(b)) },
		func(b []byte) (image.Image, error) { return jpeg.Decode(bytes.NewReader(b)) },
	},
	mediaGIF: { // the first picture of several
		func(b []byte) (image.Config, error) { return gif.DecodeConfig(bytes.NewReader(b)) },
		func(b []byte) (image.Image, error) { return gif.Decode(bytes.NewReader(b)) },
	},
	mediaWebP: {webpSize, func(b []byte) (image.Image, error) { return webp.Decode(bytes.NewReader(b)) }},
}

var errAnimated = errors.New("attach: an animated WebP")

// imageView makes an image that models take: the pixels of the original and nothing
// else of it, upright, scaled down where it is too large.
func imageView(body []byte, mediaType string) View {
	d := decoders[mediaType]
	size, err := d.size(body)
	switch {
	case errors.Is(err, errAnimated):
		return problem("it is an animated WebP, of which no picture can be read")
	case err != nil || size.Width <= 0 || size.Height <= 0:
		return problem(problemDamaged)
	case size.Width > MaxPixels/size.Height:
		return problem("it has %d × %d pixels; at most 40 megapixels are read", size.Width, size.Height)
	}
	img, err := d.decode(body)
	if err != nil {
		return problem(problemDamaged)
	}
	pixels := upright(reduced(img, maxEdge), orientation(body, mediaType))
	return encoded(padded(pixels), mediaType == mediaJPEG)
}

// encoded writes pixels in the form in which they are shown. A photograph stays JPEG;
// anything else stays without loss while it is small.
func encoded(pixels *image.RGBA, photo bool) View {
	opaque := pixels.Opaque()
	for {
		if !photo {
			b := pngOf(pixels)
			if len(b) <= smallPNG || !opaque && len(b) <= MaxImage {
				return View{MediaType: mediaPNG, Width: pixels.Rect.Dx(), Height: pixels.Rect.Dy(), Data: b}
			}
		}
		for _, quality := range []int{85, 70} {
			if b := jpegOf(pixels, quality); len(b) <= MaxImage {
				return View{MediaType: mediaJPEG, Width: pixels.Rect.Dx(), Height: pixels.Rect.Dy(), Data: b}
			}
		}
		// What no compression makes small enough is noise, of which less is as good.
		pixels = reduced(pixels, max(pixels.Rect.Dx(), pixels.Rect.Dy())*2/3)
	}
}

func pngOf(pixels *image.RGBA) []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, pixels) // into memory, of a size that was checked
	return b.Bytes()
}

// jpegOf writes pixels on white: JPEG has nothing that shines through.
func jpegOf(pixels *image.RGBA, quality int) []byte {
	if !pixels.Opaque() {
		white := image.NewRGBA(pixels.Rect)
		draw.Draw(white, white.Rect, image.White, image.Point{}, draw.Src)
		draw.Draw(white, white.Rect, pixels, pixels.Rect.Min, draw.Over)
		pixels = white
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, pixels, &jpeg.Options{Quality: quality})
	return b.Bytes()
}

// reduced gives an image whose longer side is at most so long. It needs no memory but
// that of its result and of a few lines: whole blocks of pixels are averaged, and what
// is left, less than a half, is interpolated.
func reduced(src image.Image, edge int) *image.RGBA {
	if block := max(src.Bounds().Dx(), src.Bounds().Dy()) / edge; block > 1 {
		src = averaged(src, block)
	}
	from := src.Bounds()
	w, h := from.Dx(), from.Dy()
	if long := max(w, h); long > edge {
		w, h = max(1, w*edge/long), max(1, h*edge/long)
	} else if small, ok := src.(*image.RGBA); ok {
		return small
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.ApproxBiLinear.Scale(out, out.Rect, src, from, draw.Src, nil)
	return out
}

// averaged makes one pixel of each block of pixels.
func averaged(src image.Image, block int) *image.RGBA {
	from := src.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, (from.Dx()+block-1)/block, (from.Dy()+block-1)/block))
	band := image.NewRGBA(image.Rect(0, 0, from.Dx(), block))
	for y := range out.Rect.Dy() {
		lines := min(block, from.Dy()-y*block)
		draw.Draw(band, image.Rect(0, 0, from.Dx(), lines), src, image.Pt(from.Min.X, from.Min.Y+y*block), draw.Src)
		for x := range out.Rect.Dx() {
			columns := min(block, from.Dx()-x*block)
			var sum [4]int
			for line := range lines {
				row := band.Pix[line*band.Stride+x*block*4:][:columns*4]
				for i, v := range row {
					sum[i&3] += int(v)
				}
			}
			n := lines * columns
			out.SetRGBA(x, y, color.RGBA{uint8(sum[0] / n), uint8(sum[1] / n), uint8(sum[2] / n), uint8(sum[3] / n)}) //nolint:gosec // averages of bytes
		}
	}
	return out
}

// padded sets an image that is too small or too thin on white, so that providers that
// refuse such ones take it.
func padded(src *image.RGBA) *image.RGBA {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	least := max(minEdge, max(w, h)/maxRatio)
	if w >= least && h >= least {
		return src
	}
	out := image.NewRGBA(image.Rect(0, 0, max(w, least), max(h, least)))
	draw.Draw(out, out.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(out, image.Rect(0, 0, w, h), src, src.Rect.Min, draw.Over)
	return out
}

// webpSize gives the largest of the sizes that a WebP names: its canvas and its picture
// each have one, and a decoder makes room for the latter.
func webpSize(body []byte) (image.Config, error) {
	var out image.Config
	at := 12
	for at+8 <= len(body) {
		name, size := string(body[at:at+4]), int(binary.LittleEndian.Uint32(body[at+4:]))
		data := body[at+8:]
		if size < 0 || size > len(data) {
			break
		}
		data = data[:size]
		w, h := 0, 0
		switch {
		case name == "VP8X" && size >= 10:
			w, h = 1+uint24(data[4:]), 1+uint24(data[7:])
		case name == "VP8L" && size >= 5 && data[0] == 0x2f:
			bits := binary.LittleEndian.Uint32(data[1:])
			w, h = 1+int(bits&0x3fff), 1+int(bits>>14&0x3fff)
		case name == "VP8 " && size >= 10:
			w, h = int(binary.LittleEndian.Uint16(data[6:])&0x3fff), int(binary.LittleEndian.Uint16(data[8:])&0x3fff)
		case name == "ANIM" || name == "ANMF":
			return out, errAnimated
		}
		out.Width, out.Height = max(out.Width, w), max(out.Height, h)
		at += 8 + size + size&1
	}
	return out, nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
