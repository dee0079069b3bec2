// SPDX-License-Identifier: Apache-2.0
#include "quant/float/convolution.h"

#include <omp.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <dnnl.hpp>
#include <new>
#include <unordered_map>
#include <vector>

#include "models/units.h"
#include "quant/integer/parallel.h"

namespace bitpulse {

namespace {

constexpr std::int64_t kChunk = 4;  // images

/// oneDNN chooses its blocking by the number of OpenMP threads of the calling thread: one.
class OneOpenMpThread {
 public:
  OneOpenMpThread() : threads_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneOpenMpThread() { omp_set_num_threads(threads_); }
  OneOpenMpThread(const OneOpenMpThread&) = delete;
  OneOpenMpThread& operator=(const OneOpenMpThread&) = delete;

 private:
  int threads_;
};

/// Throws std::bad_alloc where a limit leaves less than what oneDNN, in several threads, takes for
/// its code: of that it checks nothing, and would crash.
void require_room() {
  constexpr std::size_t kRoom = 32 << 20;
  void* room = mmap(nullptr, kRoom, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) throw std::bad_alloc();
  munmap(room, kRoom);
}

/// What `work` returns; that oneDNN has no memory is said as everywhere else.
template <class Work>
auto with_memory(const Work& work) {
  require_room();
  try {
    return work();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    throw;
  }
}

dnnl::memory::desc describe(const dnnl::memory::dims& dims, dnnl::memory::format_tag tag) {
  return {dims, dnnl::memory::data_type::f32, tag};
}

}  // namespace

struct Convolution::Impl {
  /// The primitive for one number of images, with weights in the layout it likes.
  struct Plan {
    dnnl::convolution_forward::primitive_desc desc;
    dnnl::convolution_forward primitive;
    dnnl::memory weights;
  };

  Shape in, out;
  Window window;
  std::int64_t groups = 1;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  const float* weights = nullptr;
  const float* bias = nullptr;

  Plan plan(std::int64_t images) {
    const OneOpenMpThread serial;
    using Tag = dnnl::memory::format_tag;
    const dnnl::memory::dims kernel{groups, out.c / groups, in.c / groups, window.kernel_h,
                                    window.kernel_w};
    const auto src = describe({images, in.c, in.h, in.w}, Tag::any);
    const auto dst = describe({images, out.c, out.h, out.w}, Tag::any);
    const auto wei = describe(kernel, Tag::any);
    const auto bia = !bias ? dnnl::memory::desc() : describe({out.c}, Tag::x);
    const dnnl::memory::dims strides{window.stride_h, window.stride_w};
    const dnnl::memory::dims dilations{window.dilation_h - 1, window.dilation_w - 1};
    const dnnl::memory::dims before{window.pad_top, window.pad_left};
    const dnnl::memory::dims after{window.pad_bottom, window.pad_right};
    constexpr auto kind = dnnl::prop_kind::forward_inference;
    constexpr auto direct = dnnl::algorithm::convolution_direct;
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);  // one primitive, many threads
#if DNNL_VERSION_MAJOR >= 3
    const dnnl::convolution_forward::primitive_desc desc(engine, kind, direct, src, wei, bia, dst,
                                                         strides, dilations, before, after, attr);
#else
    const dnnl::convolution_forward::primitive_desc desc(
        {kind, direct, src, wei, bia, dst, strides, dilations, before, after}, attr, engine);
#endif
    Plan made{desc, dnnl::convolution_forward(desc), dnnl::memory(desc.weights_desc(), engine)};
    // oneDNN's handles know no const.
    dnnl::memory plain(describe(kernel, Tag::goihw), engine, const_cast<float*>(weights));
    dnnl::stream stream(engine);
    dnnl::reorder(plain, made.weights).execute(stream, plain, made.weights);
    stream.wait();
    return made;
  }

  void run_chunk(const Plan& plan, const float* src, float* dst, std::int64_t images) {
    const OneOpenMpThread serial;
    using Tag = dnnl::memory::format_tag;
    dnnl::stream stream(engine);
    dnnl::memory user_src(describe({images, in.c, in.h, in.w}, Tag::nchw), engine,
                          const_cast<float*>(src));
    dnnl::memory user_dst(describe({images, out.c, out.h, out.w}, Tag::nchw), engine, dst);
    dnnl::memory from = user_src, to = user_dst;
    if (plan.desc.src_desc() != user_src.get_desc()) {
      from = dnnl::memory(plan.desc.src_desc(), engine);
      dnnl::reorder(user_src, from).execute(stream, user_src, from);
    }
    if (plan.desc.dst_desc() != user_dst.get_desc())
      to = dnnl::memory(plan.desc.dst_desc(), engine);
    std::unordered_map<int, dnnl::memory> arguments{
        {DNNL_ARG_SRC, from},
        {DNNL_ARG_WEIGHTS, plan.weights},
        {DNNL_ARG_DST, to},
        {DNNL_ARG_SCRATCHPAD, dnnl::memory(plan.desc.scratchpad_desc(), engine)}};
    if (bias)
      arguments.emplace(DNNL_ARG_BIAS,
                        dnnl::memory(plan.desc.bias_desc(), engine, const_cast<float*>(bias)));
    plan.primitive.execute(stream, arguments);
    if (to != user_dst) dnnl::reorder(to, user_dst).execute(stream, to, user_dst);
    stream.wait();
  }
};

Convolution::Convolution(const Shape& in, const Shape& out, const Window& window,
                         std::int64_t groups, const float* weights, const float* bias)
    : impl_(std::make_unique<Impl>()) {
  impl_->in = in;
  impl_->out = out;
  impl_->window = window;
  impl_->groups = groups;
  impl_->weights = weights;
  impl_->bias = bias;
}

Convolution::~Convolution() = default;
Convolution::Convolution(Convolution&&) noexcept = default;
Convolution& Convolution::operator=(Convolution&&) noexcept = default;

void Convolution::run(const float* in, float* out, std::int64_t images, int threads) {
  const std::int64_t chunks = ceil_div(images, kChunk);
  const std::int64_t rest = images - (chunks - 1) * kChunk;
  // Plans last for one run: kept, they would hold the network's weights a second time.
  const auto plan = [&](std::int64_t size) {
    return with_memory([&] { return impl_->plan(size); });
  };
  const Impl::Plan last = plan(rest);
  const Impl::Plan full = chunks > 1 && rest != kChunk ? plan(kChunk) : last;
  parallel_for(threads, chunks, [&](std::int64_t i, int) {
    const bool is_last = i + 1 == chunks;
    with_memory([&] {
      impl_->run_chunk(is_last ? last : full, in + i * kChunk * impl_->in.elements(),
                       out + i * kChunk * impl_->out.elements(), is_last ? rest : kChunk);
    });
  });
}

}  // namespace bitpulse
