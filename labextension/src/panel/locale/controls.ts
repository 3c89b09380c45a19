/** The names and meanings of all options, in both languages. */

import { catalog } from '../i18n';

export const CONTROLS = catalog({
  en: {
    weights: 'Format',
    weightsHint:
      'How weights are stored. int8 to int2 are whole numbers on a grid: fewer bits make a smaller file and more error. Less than 8 bits are packed. Default: float32.',
    weightsChosen: 'chosen for each layer',
    weightsReason: 'The bits are chosen for each layer, below.',
    granularity: 'Granularity',
    granularityHint:
      'What part of a weight has a scale of its own: the whole tensor, each output channel, or each group of neighbours within a channel. Finer is more exact and a little larger. Default: channel.',
    tensor: 'tensor: one scale',
    channel: 'channel: a scale each',
    group: 'group: {size} neighbours',
    groupOther: 'group: another size …',
    groupSize: 'Group size',
    groupSizeHint: 'How many neighbours within a channel share a scale.',
    groupSizeWrong: 'Write a whole number of 1 or more.',
    symmetric: 'Symmetric grid',
    symmetricHint:
      'The grid lies evenly around 0. Off, each scale has a zero point, which suits few bits and lopsided values. Default: on.',
    narrow: 'Leave out the lowest integer',
    narrowHint: 'Makes a symmetric grid balanced, -127 to 127. Off, it goes to -128. Default: on.',
    narrowReason: 'An asymmetric grid has no end to leave out.',
    weightObserver: 'Observer',
    weightObserverHint:
      'What chooses the range of a grid. minmax keeps all values; percentile keeps 99.99 % of them; mse makes the squared error smallest; entropy changes the distribution least. Default: minmax.',
    weightObserverReason: 'The clipping is set by hand, below.',
    minmax: 'minmax: keep all',
    percentile: 'percentile: 99.99 %',
    mse: 'mse: least squared error',
    entropy: 'entropy: least divergence',
    clipping: 'Clipping',
    clippingHint:
      'The share of each range that weights keep; values beyond it take the last integer. Less makes the steps finer for all others. By default the observer chooses it for each layer.',
    clippingFree: 'Observer chooses',
    clippingFreeHint: 'Let the observer choose the clipping of each layer again.',
    noIntegers: 'No weight is stored in integers: choose int8 or less, or let bits be chosen.',
    needsIntegers: 'Needs integer weights.',
    needsActivations: 'Needs int8 activations.',
    activations: 'Format',
    activationsHint:
      'How the inputs of layers with weights are quantized. int8 is 8 bits, unsigned, with a zero point; its range comes from the calibration data. Default: float32.',
    activationsReason: 'There was no example to run, so nothing is known of the ranges.',
    activationObserver: 'Observer',
    activationObserverHint:
      'What chooses the range of each input from what calibration saw, as for weights. Default: minmax.',
    simulate: 'Compute with quantized activations',
    simulateHint:
      'The converted network rounds its activations, so that it gives what a device would give. Off, their scales are only noted in the file, and it computes in float. Default: on.',
    noActivations: 'No activation is quantized: choose int8.',
    rounding: 'Rounding',
    roundingHint:
      'How weights become integers: each to the nearest, or (GPTQ) so that the errors within a channel make up for each other on the calibration data. An observer that clips works against GPTQ. Default: nearest.',
    nearest: 'nearest',
    gptq: 'GPTQ: errors make up',
    gptqClips: 'Clipping works against GPTQ.',
    equalize: 'Equalize layers',
    equalizeHint:
      'Balances the channels of neighbouring layers first, so that small ones do not vanish beside large ones (cross-layer equalization). Default: off.',
    equalizeReason: 'Needs granularity tensor.',
    smooth: 'Smooth activations',
    smoothHint:
      'Moves outliers of activations into weights first (SmoothQuant). Costs a multiplication in front of matrix products whose input cannot be scaled where it is made. Default: off.',
    bias: 'Correct biases',
    biasHint:
      'Takes the mean error that quantized weights make out of the biases. A layer without a bias gets one. Default: off.',
    bits: 'Bits',
    bitsHint:
      'Give every layer the same format, or have the bits of each layer chosen by what its error costs the output.',
    bitsNone: 'the same for all layers',
    bitsBudget: 'chosen, within a size',
    bitsDrop: 'chosen, within a loss',
    budget: 'Budget',
    budgetHint: 'How much smaller the weights of all layers become than in float32.',
    budgetText: 'As text',
    budgetTextHint: 'How many times smaller (4x), a size (500KB, 1.5MB), or a number of bytes.',
    budgetWrong: 'Write how many times smaller, 4x, or a size, 500KB, 1.5MB, or a number of bytes.',
    maxDrop: 'Most loss',
    maxDropHint:
      '30dB: the SQNR of the output may fall to that. 1%: that many points of accuracy may be lost on labelled samples. The smallest weights within it are searched for by Apply.',
    maxDropWrong: 'Write 30dB for the lowest SQNR of the output, or 1% for points of accuracy.',
    maxDropLabels: 'In percent it needs labels: gs.panel(net, x, labels=y).'
  },
  zh: {
    weights: '格式',
    weightsHint:
      '权重的存储方式。int8 到 int2 是网格上的整数：比特越少，文件越小，误差越大。少于 8 比特时会打包存储。默认：float32。',
    weightsChosen: '逐层选择',
    weightsReason: '各层的比特数由下方的设置选择。',
    granularity: '粒度',
    granularityHint:
      '权重的哪一部分拥有自己的缩放因子：整个张量、每个输出通道，或通道内相邻的一组。越细越精确，文件略大。默认：通道。',
    tensor: '张量：一个缩放因子',
    channel: '通道：各自缩放',
    group: '分组：每 {size} 个相邻值',
    groupOther: '分组：其他大小…',
    groupSize: '分组大小',
    groupSizeHint: '通道内多少个相邻值共用一个缩放因子。',
    groupSizeWrong: '请输入不小于 1 的整数。',
    symmetric: '对称网格',
    symmetricHint:
      '网格以 0 为中心对称。关闭后每个缩放因子带有零点，适合比特数少、分布偏斜的权重。默认：开启。',
    narrow: '去掉最小的整数',
    narrowHint: '使对称网格左右平衡，即 -127 到 127。关闭后到 -128。默认：开启。',
    narrowReason: '非对称网格没有可去掉的一端。',
    weightObserver: '观察器',
    weightObserverHint:
      '由什么来选择网格的范围。minmax 保留所有值；percentile 保留 99.99 %；mse 使平方误差最小；entropy 使分布变化最小。默认：minmax。',
    weightObserverReason: '裁剪比例已在下方手动设定。',
    minmax: 'minmax：全部保留',
    percentile: 'percentile：99.99 %',
    mse: 'mse：平方误差最小',
    entropy: 'entropy：散度最小',
    clipping: '裁剪',
    clippingHint:
      '权重保留的范围比例；超出的值取最末的整数。比例越小，其余值的步长越细。默认由观察器为每层选择。',
    clippingFree: '由观察器选择',
    clippingFreeHint: '重新由观察器为每层选择裁剪比例。',
    noIntegers: '没有以整数存储的权重：请选择 int8 或更少，或让比特数自动选择。',
    needsIntegers: '需要整数权重。',
    needsActivations: '需要 int8 激活值。',
    activations: '格式',
    activationsHint:
      '带权重的层的输入如何量化。int8 为 8 比特无符号整数，带零点；范围来自校准数据。默认：float32。',
    activationsReason: '没有可运行的示例输入，因此无法得知范围。',
    activationObserver: '观察器',
    activationObserverHint: '根据校准数据选择各输入的范围，与权重相同。默认：minmax。',
    simulate: '用量化后的激活值计算',
    simulateHint:
      '转换后的网络会对激活值取整，得到与设备相同的结果。关闭后只在文件中标注缩放因子，仍以浮点计算。默认：开启。',
    noActivations: '没有量化的激活值：请选择 int8。',
    rounding: '舍入',
    roundingHint:
      '权重如何变成整数：各自取最近的整数，或（GPTQ）使通道内的误差在校准数据上互相抵消。会裁剪的观察器与 GPTQ 相抵触。默认：最近。',
    nearest: '取最近的整数',
    gptq: 'GPTQ：误差互补',
    gptqClips: '裁剪与 GPTQ 相抵触。',
    equalize: '均衡相邻层',
    equalizeHint: '先平衡相邻层的通道，使小的通道不会在大的通道旁消失（跨层均衡）。默认：关闭。',
    equalizeReason: '需要张量粒度。',
    smooth: '平滑激活值',
    smoothHint:
      '先把激活值中的离群值转移到权重中（SmoothQuant）。若输入无法在产生处缩放，会在矩阵乘之前多一次乘法。默认：关闭。',
    bias: '校正偏置',
    biasHint: '从偏置中去除量化权重造成的平均误差。没有偏置的层会得到一个偏置。默认：关闭。',
    bits: '比特数',
    bitsHint: '所有层使用相同的格式，或根据各层误差对输出的影响来选择每层的比特数。',
    bitsNone: '所有层相同',
    bitsBudget: '按大小自动选择',
    bitsDrop: '按损失自动选择',
    budget: '预算',
    budgetHint: '所有层的权重比 float32 缩小多少倍。',
    budgetText: '文字输入',
    budgetTextHint: '缩小的倍数（4x）、大小（500KB、1.5MB），或字节数。',
    budgetWrong: '请输入缩小的倍数，如 4x，或大小，如 500KB、1.5MB，或字节数。',
    maxDrop: '最大损失',
    maxDropHint:
      '30dB：输出的 SQNR 最低可降到此值。1%：在带标签的样本上最多可损失这么多个百分点的精度。“应用”会搜索满足要求的最小权重。',
    maxDropWrong: '请输入 30dB（输出的最低 SQNR）或 1%（精度的百分点）。',
    maxDropLabels: '用百分比时需要标签：gs.panel(net, x, labels=y)。'
  }
});
