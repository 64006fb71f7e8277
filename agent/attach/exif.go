package attach

import (
	"bytes"
	"encoding/binary"
	"image"
)

// orientation gives how an image lies, 1 to 8 as Exif counts; 1 is upright, which is
// also what an image is that does not say. It is the one thing of the metadata that
// the pixels need.
func orientation(body []byte, mediaType string) int {
	switch mediaType {
	case mediaJPEG:
		return tiffOrientation(jpegExif(body))
	case mediaPNG:
		return tiffOrientation(pngExif(body))
	case mediaWebP:
		return tiffOrientation(webpExif(body))
	}
	return 1
}

// jpegExif gives the Exif segment of a JPEG.
func jpegExif(b []byte) []byte {
	for at := 2; at+4 <= len(b) && b[at] == 0xff; {
		marker, size := b[at+1], int(binary.BigEndian.Uint16(b[at+2:]))
		if marker == 0xda || size < 2 || at+2+size > len(b) {
			return nil // the pixels begin, or it is cut off
		}
		if data := b[at+4 : at+2+size]; marker == 0xe1 && bytes.HasPrefix(data, []byte("Exif\x00\x00")) {
			return data[6:]
		}
		at += 2 + size
	}
	return nil
}

// pngExif gives the eXIf chunk of a PNG.
func pngExif(b []byte) []byte {
	for at := 8; at+8 <= len(b); {
		size, name := int(binary.BigEndian.Uint32(b[at:])), string(b[at+4:at+8])
		if size < 0 || size > len(b)-at-8 {
			return nil
		}
		if name == "eXIf" {
			return b[at+8 : at+8+size]
		}
		at += 12 + size
	}
	return nil
}

// webpExif gives the EXIF chunk of a WebP.
func webpExif(b []byte) []byte {
	for at := 12; at+8 <= len(b); {
		name, size := string(b[at:at+4]), int(binary.LittleEndian.Uint32(b[at+4:]))
		if size < 0 || size > len(b)-at-8 {
			return nil
		}
		if name == "EXIF" {
			return bytes.TrimPrefix(b[at+8:at+8+size], []byte("Exif\x00\x00"))
		}
		at += 8 + size + size&1
	}
	return nil
}

const tagOrientation = 0x0112

// tiffOrientation reads one entry of the first directory of a TIFF.
func tiffOrientation(b []byte) int {
	var order binary.ByteOrder = binary.LittleEndian
	switch {
	case len(b) < 10:
		return 1
	case string(b[:4]) == "MM\x00*":
		order = binary.BigEndian
	case string(b[:4]) != "II*\x00":
		return 1
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 1
	}
	for i := range int64(order.Uint16(b[at:])) {
		entry := at + 2 + 12*i
		if entry+12 > int64(len(b)) {
			return 1
		}
		if order.Uint16(b[entry:]) == tagOrientation {
			if v := int(order.Uint16(b[entry+8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
	}
	return 1
}

// upright turns an image as its orientation says.
func upright(src *image.RGBA, orientation int) *image.RGBA {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	var at func(x, y int) (int, int) // where in the source a pixel comes from
	switch orientation {
	case 2:
		at = func(x, y int) (int, int) { return w - 1 - x, y }
	case 3:
		at = func(x, y int) (int, int) { return w - 1 - x, h - 1 - y }
	case 4:
		at = func(x, y int) (int, int) { return x, h - 1 - y }
	case 5:
		at = func(x, y int) (int, int) { return y, x }
	case 6:
		at = func(x, y int) (int, int) { return y, h - 1 - x }
	case 7:
		at = func(x, y int) (int, int) { return w - 1 - y, h - 1 - x }
	case 8:
		at = func(x, y int) (int, int) { return w - 1 - y, x }
	default:
		return src
	}
	ow, oh := w, h
	if orientation >= 5 {
		ow, oh = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, ow, oh))
	for y := range oh {
		for x := range ow {
			sx, sy := at(x, y)
			out.SetRGBA(x, y, src.RGBAAt(sx, sy))
		}
	}
	return out
}
