/* Stands before a real libopus and differs from it in one thing, so that what is told of a copy can be chosen.
 *
 *   REAL      path of the real one, in quotes         MUTE   decodes silence
 *   VERSION   what it calls itself, in quotes         SIZE   the decoder's size
 *   DEEP      conceals otherwise from decoder complexity 5 on
 *   ENHANCES  decodes otherwise from decoder complexity 6 on
 *   DRED      takes a length of DRED
 *   LACKS     has no opus_decode_float
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

static void *real(const char *name) {
  static void *library;
  if (!library) library = dlopen(REAL, RTLD_NOW | RTLD_LOCAL);
  return dlsym(library, name);
}

static int complexity;

#ifndef VERSION
#define VERSION "libopus 1.5.2"
#endif
#ifndef SIZE
#define SIZE 141000
#endif

const char *opus_get_version_string(void) { return VERSION; }
const char *opus_strerror(int code) { return ((const char *(*)(int))real("opus_strerror"))(code); }
int opus_decoder_get_size(int channels) { return SIZE; }

void *opus_encoder_create(int32_t rate, int channels, int application, int *error) {
  return ((void *(*)(int32_t, int, int, int *))real("opus_encoder_create"))(rate, channels, application, error);
}
void opus_encoder_destroy(void *encoder) { ((void (*)(void *))real("opus_encoder_destroy"))(encoder); }
int32_t opus_encode_float(void *encoder, const float *sound, int samples, unsigned char *data, int32_t room) {
  return ((int32_t (*)(void *, const float *, int, unsigned char *, int32_t))real("opus_encode_float"))(
      encoder, sound, samples, data, room);
}
int opus_encoder_ctl(void *encoder, int request, ...) {
  va_list values;
  va_start(values, request);
  int value = va_arg(values, int);
  va_end(values);
#ifdef DRED
  if (request == 4050) return 0;
#endif
  return ((int (*)(void *, int, ...))real("opus_encoder_ctl"))(encoder, request, value);
}

void *opus_decoder_create(int32_t rate, int channels, int *error) {
  complexity = 0;
  return ((void *(*)(int32_t, int, int *))real("opus_decoder_create"))(rate, channels, error);
}
void opus_decoder_destroy(void *decoder) { ((void (*)(void *))real("opus_decoder_destroy"))(decoder); }
int opus_decoder_ctl(void *decoder, int request, ...) {
  va_list values;
  va_start(values, request);
  int value = va_arg(values, int);
  va_end(values);
  if (request == 4010) {
    complexity = value;
    return 0;
  }
  return ((int (*)(void *, int, ...))real("opus_decoder_ctl"))(decoder, request, value);
}
#ifndef LACKS
int opus_decode_float(void *decoder, const unsigned char *data, int32_t size, float *sound, int samples, int fec) {
  int count = ((int (*)(void *, const unsigned char *, int32_t, float *, int, int))real("opus_decode_float"))(
      decoder, data, size, sound, samples, fec);
  float factor = 1;
#ifdef DEEP
  if (data == NULL && complexity >= 5) factor = 0.5f;
#endif
#ifdef ENHANCES
  if (data != NULL && complexity >= 6) factor = 0.5f;
#endif
#ifdef MUTE
  factor = 0;
#endif
  for (int at = 0; at < count; at++) sound[at] *= factor;
  return count;
}
#endif
